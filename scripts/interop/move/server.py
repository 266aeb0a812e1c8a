"""`mhq serve` in its namespace, and its operator."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType

from harness.process import Child
from move.network import PLACES, PORT, MovingNetwork

READY_WITHIN = 15.0


class MoveFailed(Exception):
    """Something did not go as it has to; the words say what."""


def address(place: int) -> str:
    return f"{PLACES[place]}:{PORT}"


class MovingServer:
    """Use as a context manager. `place` is where the server is: the index of an address."""

    def __init__(self, mhq: Path, network: MovingNetwork, folder: Path, pool: bool) -> None:
        self._mhq, self._network, self._folder = mhq, network, folder
        self._control = folder / "control"
        self.certificate = folder / "certificate.pem"
        self.place = 0
        arguments = [
            "serve", "--listen", address(0), "--no-tcp", "--control", str(self._control),
            "--write-certificate", str(self.certificate), "--allow-destination", "10.99.0.0/16",
            "--loops", "2", "--grace", "1", "--log-level", "info",
        ]  # fmt: skip
        if pool:
            arguments += ["--pool", address(0), "--pool", address(1)]
        self._child = Child(network.in_server([str(mhq), *arguments]), {}, folder / "server.log")

    def __enter__(self) -> MovingServer:
        deadline = time.monotonic() + READY_WITHIN
        while not self._control.exists():
            if not self._child.runs() or time.monotonic() > deadline:
                raise MoveFailed(f"the server did not start: {self._child.last_line()}")
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._signal(signal.SIGCONT)
        self._child.stop()

    def ask(self, *arguments: str) -> dict[str, object]:
        command = [str(self._mhq), "migrate", *arguments, "--control", str(self._control), "--json"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if result.returncode != 0:
            raise MoveFailed(f"mhq migrate {arguments[0]}: {result.stdout.strip()} {result.stderr.strip()}")
        answer: dict[str, object] = json.loads(result.stdout)
        return answer

    def prepare(self, strategy: str) -> str:
        """The number of the plan. Every connection has to be ready."""
        destination = [] if strategy in ("pool", "symmetric", "synchronized-symmetric") else ["--to"]
        destination += [address(1 - self.place)] if destination else []
        answer = self.ask("prepare", "--strategy", strategy, "--deadline", "10", *destination)
        if answer["ready"] != answer["connections"] or not answer["ready"]:
            raise MoveFailed(f"not every client is ready: {answer['summary']}")
        return str(answer["epoch"])

    def move(self, strategy: str, frozen_for: float) -> None:
        """Holds and freezes the process, cuts the link that it was on, thaws it at its other address."""
        epoch = self.prepare(strategy)
        self.ask("hold", "--epoch", epoch, "--release")
        self._signal(signal.SIGSTOP)
        self._network.cut(self.place)
        time.sleep(frozen_for)
        self.place = 1 - self.place
        self._signal(signal.SIGCONT)
        self.ask("switch", "--epoch", epoch, "--to", address(self.place))

    def _signal(self, number: signal.Signals) -> None:
        """To the server itself: `ip netns exec` becomes the program that it starts."""
        os.kill(self._child.identifier, number)
