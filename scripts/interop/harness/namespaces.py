"""Two network namespaces with the link between them. A TCP connection can compete on it. Needs root."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from capture.pcap import Address
from cases.catalogue import Case
from harness.network import READY_WITHIN, NetworkFailed
from harness.process import Child

CLIENT, SERVER = "10.71.1.1", "10.71.1.2"
PORT, PREFERRED_PORT = 4433, 4434
# Past slow start, so that the other connection meets a link in use.
HEAD_START = 2.0


_networks = itertools.count()


def missing_for_namespaces(case: Case) -> list[str]:
    """What this machine lacks for them."""
    missing = [] if os.geteuid() == 0 else ["root"]
    tools = ["ip", "iperf3"] if case.has_cross_traffic else ["ip"]
    missing += [tool for tool in tools if shutil.which(tool) is None]
    return missing + ([] if Path("/dev/net/tun").exists() else ["/dev/net/tun"])


class NamespaceNetwork:
    def __init__(self, case: Case, folder: Path, python: str) -> None:
        ports = [PORT, PREFERRED_PORT] if case.has_preferred_address else [PORT]
        self.servers: list[Address] = [(SERVER, port) for port in ports]
        self.doors = self.servers
        self._has_cross_traffic = case.has_cross_traffic
        self._scenario = case.scenario
        self._folder = folder
        self._python = python
        # Short enough for the name of a device, and other runs on the machine have other ones.
        own = f"gw{os.getpid()}-{next(_networks)}"
        self._names = {role: f"{own}{role[0]}" for role in ("client", "server")}
        self._children: list[Child] = []

    def start(self) -> None:
        for name in self._names.values():
            ip("netns", "add", name)
        self._start_bridge()
        for role, address in (("client", CLIENT), ("server", SERVER)):
            name = self._names[role]
            ip("link", "set", name, "netns", name)
            ip("-n", name, "address", "add", f"{address}/30", "dev", name)
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", name, "mtu", str(self._scenario.mtu), "up")
        if self._has_cross_traffic:
            self._start_cross_traffic()

    def stop(self) -> None:
        for child in reversed(self._children):
            child.stop()
        for name in self._names.values():
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    def command_for(self, role: str, command: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", self._names[role], *command]

    def server_is_ready(self, server: Child) -> bool:
        probe = [self._python, "-m", "harness.probe", SERVER, str(PORT), str(READY_WITHIN)]
        with Child(self.command_for("server", probe), {}, self._folder / "probe.log") as child:
            ready = child.wait(2 * READY_WITHIN) == 0
        if self._has_cross_traffic:
            time.sleep(HEAD_START)
        return ready and server.runs()

    def _start_bridge(self) -> None:
        task = {
            "scenario": self._scenario.to_json(),
            "devices": [self._names["client"], self._names["server"]],
            "client_capture": str(self._folder / "client.pcap"),
            "server_capture": str(self._folder / "server.pcap"),
        }
        file = self._folder / "link.json"
        file.write_text(json.dumps(task, indent=2))
        child = self._start([self._python, "-m", "link.tunnels", str(file)], "link.log")
        deadline = time.monotonic() + READY_WITHIN
        while not child.log.read_text():
            if not child.runs() or time.monotonic() > deadline:
                raise NetworkFailed(f"the link did not start: {child.last_line()}")
            time.sleep(0.02)

    def _start_cross_traffic(self) -> None:
        receiver = ["iperf3", "--client", SERVER, "--reverse", "--congestion", "cubic", "--time", "600"]
        self._start(self.command_for("server", ["iperf3", "--server"]), "iperf-server.log")
        time.sleep(0.5)
        self._start(self.command_for("client", receiver), "iperf-client.log")

    def _start(self, command: Sequence[str], log: str) -> Child:
        child = Child(command, {}, self._folder / log)
        self._children.append(child)
        return child


def ip(*arguments: str) -> None:
    result = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise NetworkFailed(f"ip {' '.join(arguments)}: {result.stderr.strip()}")
