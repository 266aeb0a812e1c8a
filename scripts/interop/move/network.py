"""Two namespaces: a client with one address, and a server with two, each on a link of its own. Needs root.

The client's address is on its loopback interface, so that it is the same over both links.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.namespaces import ip

if TYPE_CHECKING:
    from typing import Self

CLIENT = "10.99.0.2"
# Where a server may be. Here it has the first two.
PLACES = ("10.99.1.1", "10.99.2.1", "10.99.3.1", "10.99.4.1")
# An attacker's.
SPOOFED = "10.66.6.6"
GATEWAYS = ("10.99.1.2", "10.99.2.2")
PORT = 4433
# What a link carries, and what waits for it: enough for a transfer to outlast a move.
RATE = ["rate", "40mbit", "burst", "64kb", "latency", "50ms"]

_numbers = itertools.count()


def own_name() -> str:
    """What this run's next namespaces begin with. Devices have them too, so they are short."""
    return f"gm{os.getpid()}-{next(_numbers)}"


class Namespaces:
    """Use as a context manager: leaving it removes the two. What is between them is for subclasses."""

    def __init__(self) -> None:
        self.name = own_name()
        self.client, self.server = f"{self.name}c", f"{self.name}s"

    def __enter__(self) -> Self:
        try:
            for name in (self.client, self.server):
                ip("netns", "add", name)
                ip("-n", name, "link", "set", "lo", "up")
            self.connect()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def connect(self) -> None:
        raise NotImplementedError

    def cut(self, index: int) -> object:
        """Nothing gets to this place any more."""
        raise NotImplementedError

    def join(self, index: int) -> object:
        raise NotImplementedError

    def stop(self) -> None:
        for name in (self.client, self.server):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    def in_client(self, command: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", self.client, *command]

    def in_server(self, command: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", self.server, *command]


class MovingNetwork(Namespaces):
    """A link for each of the first two places."""

    def __init__(self, *, is_limited: bool = True) -> None:
        super().__init__()
        self._is_limited = is_limited

    def connect(self) -> None:
        ip("-n", self.client, "address", "add", f"{CLIENT}/32", "dev", "lo")
        for index, (place, gateway) in enumerate(zip(PLACES[:2], GATEWAYS, strict=True)):
            ends = [f"c{index}", f"s{index}"]
            ip("link", "add", ends[0], "netns", self.client, "type", "veth", "peer", "name", ends[1],
               "netns", self.server)  # fmt: skip
            ip("-n", self.client, "address", "add", f"{gateway}/24", "dev", ends[0])
            ip("-n", self.server, "address", "add", f"{place}/24", "dev", ends[1])
            for name, end in zip((self.client, self.server), ends, strict=True):
                ip("-n", name, "link", "set", end, "up")
                if self._is_limited:
                    self._limit(name, end)
            # Both ways over the same link, from the address that belongs to the connection.
            ip("-n", self.client, "route", "replace", place, "dev", ends[0], "src", CLIENT)
            table = str(100 + index)
            ip("-n", self.server, "rule", "add", "from", place, "lookup", table)
            ip("-n", self.server, "route", "add", CLIENT, "via", gateway, "dev", ends[1], "table", table)
        ip("-n", self.server, "route", "add", CLIENT, "via", GATEWAYS[0])

    def _limit(self, name: str, device: str) -> None:
        """Not every kernel can; then it goes faster."""
        command = ["ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", device, "root", "tbf", *RATE]
        subprocess.run(command, capture_output=True, check=False)

    def cut(self, index: int) -> None:
        """Nothing gets to the server by this link any more."""
        ip("-n", self.server, "link", "set", f"s{index}", "down")

    def join(self, index: int) -> None:
        """A link that was cut is there again. The system has dropped its routes."""
        ip("-n", self.server, "link", "set", f"s{index}", "up")
        table = str(100 + index)
        ip("-n", self.server, "route", "replace", CLIENT, "via", GATEWAYS[index], "dev", f"s{index}",
           "table", table)  # fmt: skip
