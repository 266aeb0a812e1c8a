"""CPU time and memory of processes."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import time
from dataclasses import dataclass

from programs import Command, Program


@dataclass
class Cost:
    """CPU seconds of a client and of its server, and how long it took."""

    client: float
    server: float
    wall: float

    def less(self, other: "Cost") -> "Cost":
        return Cost(self.client - other.client, self.server - other.server, self.wall - other.wall)

    def over(self, count: float) -> "Cost":
        return Cost(self.client / count, self.server / count, self.wall / count)


def start(command: Command, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment})


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Waits for the end of a process."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def run(server: Command, clients: list[Command]) -> Cost:
    """What one server takes to serve clients that come one after the other."""
    serving = start(server)
    time.sleep(1.0)
    began = time.monotonic()
    client = 0.0
    for command in clients:
        fetching = start(command)
        client += cpu_seconds(fetching)
        if fetching.returncode != 0:
            serving.kill()
            raise SystemExit(f"{' '.join(command)}: exit status {fetching.returncode}")
    wall = time.monotonic() - began
    serving.send_signal(signal.SIGTERM)
    return Cost(client, cpu_seconds(serving), wall)


def count_allocations(program: Program, size: int, counter: pathlib.Path, folder: pathlib.Path) -> tuple[int, int]:
    """How often client and server call malloc in a transfer."""
    files = folder / "client", folder / "server"
    serving = start(program.server, LD_PRELOAD=str(counter), MALLOC_COUNT_FILE=str(files[1]))
    time.sleep(1.0)
    fetching = start(program.bulk(size), LD_PRELOAD=str(counter), MALLOC_COUNT_FILE=str(files[0]))
    fetching.wait()
    serving.send_signal(signal.SIGTERM)
    serving.wait()
    return int(files[0].read_text()), int(files[1].read_text())
