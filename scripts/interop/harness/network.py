"""What lies between client and server in a cell."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from capture.pcap import Address
from cases.catalogue import Case
from harness.probe import wait_until_ready
from harness.process import Child

IPV4, IPV6 = "127.0.0.1", "::1"
IPV4_PREFERRED = "127.0.0.2"
READY_WITHIN = 10.0


class NetworkFailed(Exception):
    """The network could not be set up; the message says why."""


class Network(Protocol):
    """Created for one cell. Its captures are complete after `stop`."""

    # Where the server listens; the first is where clients begin.
    servers: list[Address]
    # The addresses at which clients reach these.
    doors: list[Address]

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def command_for(self, role: str, command: Sequence[str]) -> list[str]: ...

    def server_is_ready(self, server: Child) -> bool: ...


class DirectNetwork:
    """Loopback without a link, and so without captures: for what would take too long otherwise."""

    def __init__(self) -> None:
        self.servers: list[Address] = [(IPV4, free_port(IPV4))]
        self.doors = self.servers

    def start(self) -> None:
        """There is nothing to start."""

    def stop(self) -> None:
        """There is nothing to stop."""

    def command_for(self, role: str, command: Sequence[str]) -> list[str]:
        return list(command)

    def server_is_ready(self, server: Child) -> bool:
        return wait_until_ready(self.servers[0], READY_WITHIN, server.runs)


def free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as placeholder:
        placeholder.bind((host, 0))
        return int(placeholder.getsockname()[1])


class LinkNetwork:
    """Loopback with the link's process in between."""

    def __init__(self, case: Case, folder: Path, python: str) -> None:
        hosts = [IPV6 if case.is_ipv6 else IPV4]
        if case.has_preferred_address:
            hosts.append(IPV4_PREFERRED)
        self.servers: list[Address] = [(host, free_port(host)) for host in hosts]
        self.doors: list[Address] = []
        self._folder = folder
        self._task = {
            "scenario": case.scenario.to_json(),
            "servers": self.servers,
            "client_capture": str(folder / "client.pcap"),
            "server_capture": str(folder / "server.pcap"),
        }
        self._python = python
        self._process: Child | None = None

    def start(self) -> None:
        task = self._folder / "link.json"
        task.write_text(json.dumps(self._task, indent=2))
        command = [self._python, "-m", "link", str(task)]
        self._process = Child(command, {}, self._folder / "link.log")
        self.doors = self._read_doors(self._process)

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def command_for(self, role: str, command: Sequence[str]) -> list[str]:
        return list(command)

    def server_is_ready(self, server: Child) -> bool:
        return wait_until_ready(self.servers[0], READY_WITHIN, server.runs)

    def _read_doors(self, process: Child) -> list[Address]:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and process.runs():
            text = process.log.read_text()
            if text.endswith("\n"):
                return [(host, port) for host, port in json.loads(text)["doors"]]
            time.sleep(0.02)
        raise NetworkFailed(f"the link did not start: {process.last_line()}")
