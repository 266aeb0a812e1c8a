"""Two namespaces with a program between them that delays, loses and translates. Needs root and /dev/net/tun."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.namespaces import ip
from harness.network import NetworkFailed
from harness.process import Child
from move.network import CLIENT, PLACES, SPOOFED, Namespaces

# What clients behind a NAT look like, one after the other.
OUTSIDE = ("10.98.0.1", "10.98.0.2")
READY_WITHIN = 60.0


@dataclass(frozen=True)
class Way:
    """To one place of the server's: seconds one way, bits per second, and the share of round trips that fail."""

    place: str
    delay: float
    rate: float
    loss: float = 0.0

    @property
    def round_trip(self) -> float:
        return 2 * self.delay


def thesis_ways(loss: float = 0.0) -> list[Way]:
    """The thesis's two paths, and places like the second. A program can't forward 100 Mbit/s; this is what it can."""
    return [Way(PLACES[0], 0.061, 13e6, loss), *(Way(place, 0.009, 30e6, loss) for place in PLACES[1:3])]


def short_ways(delay: float = 0.005, loss: float = 0.0) -> list[Way]:
    return [Way(place, delay, 30e6, loss) for place in PLACES[:3]]


class RoutedNetwork(Namespaces):
    """A way for each place, and the program that all of them lead through."""

    def __init__(
        self,
        folder: Path,
        ways: Sequence[Way],
        *,
        translation: str | None = None,
        is_attacked: bool = False,
    ) -> None:
        super().__init__()
        self.ways = list(ways)
        self.capture = folder / "client.pcap"
        self._folder = folder
        # Short, for the name of a socket is.
        self._control = Path("/tmp") / f"{self.name}.control"
        self._translation = translation
        self._spoofed = SPOOFED if is_attacked else None
        self._router: Child | None = None

    def stop(self) -> None:
        if self._router:
            self._router.stop()
        super().stop()
        self._control.unlink(missing_ok=True)

    def connect(self) -> None:
        self._start_router()
        for name, addresses in ((self.client, [CLIENT]), (self.server, [way.place for way in self.ways])):
            ip("link", "set", name, "netns", name)
            for address in addresses:
                ip("-n", name, "address", "add", f"{address}/32", "dev", "lo")
            ip("-n", name, "link", "set", name, "up")
            # The client's own address is not where its way ends, or the system would take the device's.
            ip("-n", name, "route", "add", "default", "dev", name, "src", addresses[0])

    def _start_router(self) -> None:
        task = {
            "client": self.client,
            "server": self.server,
            "paths": [asdict(way) for way in self.ways],
            "translation": self._translation,
            "outside": OUTSIDE,
            "spoofed": self._spoofed,
            "seed": 1,
            "control": str(self._control),
            "captures": str(self._folder),
        }
        file = self._folder / "router.json"
        file.write_text(json.dumps(task, indent=1))
        self._router = Child([sys.executable, "-m", "move.router", str(file)], {}, self._folder / "router.log")
        deadline = time.monotonic() + READY_WITHIN
        while not self._router.log.read_text():
            if not self._router.runs() or time.monotonic() > deadline:
                raise NetworkFailed(f"the router did not start: {self._router.last_line()}")
            time.sleep(0.02)

    # What happens to it

    def cut(self, index: int) -> dict[str, int]:
        """Nothing gets to this place any more, or from there."""
        return self._command(cut=self.ways[index].place)

    def join(self, index: int) -> dict[str, int]:
        return self._command(join=self.ways[index].place)

    def forget(self) -> dict[str, int]:
        """The NAT knows nothing any more, and the client has another address outside."""
        return self._command(forget=True)

    def replay(self, index: int) -> dict[str, int]:
        """The last datagram of the client's to this place arrives there once more."""
        return self._command(replay=self.ways[index].place)

    def counts(self) -> dict[str, int]:
        return self._command()

    def _command(self, **members: object) -> dict[str, int]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            # A name of the system's choice, for the answer.
            own.bind("")
            own.settimeout(10)
            own.sendto(json.dumps(members).encode(), str(self._control))
            answer: dict[str, int] = json.loads(own.recv(4096))
        return answer
