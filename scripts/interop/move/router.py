"""What is between a client and the places of its server: delay, loss, speed, a NAT, and packets of an attacker's.

Run as a program with its task in JSON: {"client": device, "server": device, "paths": [{"place": ip, "delay": s,
"rate": bit/s, "loss": share}, …], "translation": kind or null, "outside": [ip, …], "spoofed": ip or null,
"seed": n, "control": path, "captures": folder}. It prints a line when the devices exist, and obeys datagrams to
`control`: {"cut": place}, {"join": place}, {"forget": true}, {"replay": place}, which has the last datagram of the
client's to that place arrive there once more; each is answered with what it has counted.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from capture.pcap import checksum
from link.process import run_until_stopped
from link.tunnels import Tunnel
from move.translation import Translator

UDP = 17
BATCH = 64
LONGEST_WAIT = 0.2
# How long a packet waits for its turn on a path, at most.
LONGEST_QUEUE = 0.05
# Who copies every packet and is always first can't be told from the server itself (RFC 9000 section 9.3.3).
SPOOFED_SHARE = 0.75


@dataclass
class Way:
    """Both directions of the way to one place of the server's."""

    delay: float
    rate: float
    loss: float
    is_cut: bool = False

    def __post_init__(self) -> None:
        self._busy_until = {True: 0.0, False: 0.0}

    def admit(self, size: int, to_server: bool, now: float, chance: random.Random) -> float | None:
        """When a packet arrives; None if it does not."""
        # Half of the loss is each way's.
        if self.is_cut or chance.random() < self.loss / 2:
            return None
        start = max(now, self._busy_until[to_server])
        if start > now + LONGEST_QUEUE:
            return None
        self._busy_until[to_server] = start + size * 8 / self.rate
        return self._busy_until[to_server] + self.delay


class Router:
    def __init__(self, task: dict[str, object]) -> None:
        captures = Path(str(task["captures"]))
        self._client = Tunnel(str(task["client"]), captures / "client.pcap")
        self._server = Tunnel(str(task["server"]), captures / "server.pcap")
        paths: list[dict[str, object]] = task["paths"]  # type: ignore[assignment]
        self._paths = {
            socket.inet_aton(str(path["place"])): Way(
                float(str(path["delay"])), float(str(path["rate"])), float(str(path["loss"]))
            )
            for path in paths
        }
        outside: list[str] = task["outside"]  # type: ignore[assignment]
        kind = task["translation"]
        self._translator = Translator(str(kind), [socket.inet_aton(ip) for ip in outside]) if kind else None
        spoofed = task["spoofed"]
        self._spoofed = socket.inet_aton(str(spoofed)) if spoofed else None
        self._chance = random.Random(str(task["seed"]))
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._control.bind(str(task["control"]))
        self._latest: dict[bytes, bytes] = {}
        self._agenda: list[tuple[float, int, Tunnel, bytes]] = []
        self._ordinals = itertools.count()
        self._counts = {"lost": 0, "to_spoofed": 0, "spoofed": 0, "refused": 0}

    def step(self) -> None:
        readable, _, _ = select.select([self._client, self._server, self._control], [], [], self._wait())
        if self._client in readable:
            self._read(self._client, to_server=True)
        if self._server in readable:
            self._read(self._server, to_server=False)
        if self._control in readable:
            self._obey()
        now = time.monotonic()
        while self._agenda and self._agenda[0][0] <= now:
            _, _, tunnel, packet = heapq.heappop(self._agenda)
            self._arrive(tunnel, packet)

    def close(self) -> None:
        self._client.close()
        self._server.close()

    def _wait(self) -> float:
        return min(LONGEST_WAIT, max(0.0, self._agenda[0][0] - time.monotonic())) if self._agenda else 1.0

    def _obey(self) -> None:
        text, sender = self._control.recvfrom(4096)
        command: dict[str, object] = json.loads(text)
        for word, is_cut in (("cut", True), ("join", False)):
            if word in command:
                self._paths[socket.inet_aton(str(command[word]))].is_cut = is_cut
        if "forget" in command and self._translator:
            self._translator.forget()
        if "replay" in command and (packet := self._latest.get(socket.inet_aton(str(command["replay"])))):
            self._forward(packet, to_server=True)
        self._counts["refused"] = self._translator.refused if self._translator else 0
        self._control.sendto(json.dumps(self._counts).encode(), sender)

    def _read(self, tunnel: Tunnel, *, to_server: bool) -> None:
        for _ in range(BATCH):
            packet = tunnel.read()
            if packet is None:
                return
            if packet[0] >> 4 == 4 and packet[9] == UDP:
                self._forward(packet, to_server)

    def _forward(self, packet: bytes, to_server: bool) -> None:
        place = packet[16:20] if to_server else packet[12:16]
        if to_server and place == self._spoofed:
            self._counts["to_spoofed"] += len(packet)
        path = self._paths.get(place)
        if to_server:
            self._latest[place] = packet
        now = time.monotonic()
        arrival = path.admit(len(packet), to_server, now, self._chance) if path else None
        if arrival is None:
            self._counts["lost"] += 1
            return
        if self._spoofed and not to_server and self._chance.random() < SPOOFED_SHARE:
            # Whoever sees the packets sends copies that get there first.
            copy = rewritten(packet, source=(self._spoofed, port_of(packet, 0)))
            self._put(arrival - 0.001, self._client, copy)
            self._counts["spoofed"] += 1
        self._put(arrival, self._server if to_server else self._client, packet)

    def _put(self, arrival: float, tunnel: Tunnel, packet: bytes) -> None:
        heapq.heappush(self._agenda, (arrival, next(self._ordinals), tunnel, packet))

    def _arrive(self, tunnel: Tunnel, packet: bytes) -> None:
        """The NAT is at the client's door: only there it is known what has left before."""
        if self._translator is None:
            return tunnel.write(packet)
        source = packet[12:16], port_of(packet, 0)
        target = packet[16:20], port_of(packet, 2)
        if tunnel is self._server:
            return tunnel.write(rewritten(packet, source=self._translator.leave(source, target)))
        inside = self._translator.enter(source, target)
        if inside is not None:
            tunnel.write(rewritten(packet, target=inside))
        return None


def port_of(packet: bytes, offset: int) -> int:
    port: int = struct.unpack_from(">H", packet, (packet[0] & 15) * 4 + offset)[0]
    return port


def rewritten(
    packet: bytes, source: tuple[bytes, int] | None = None, target: tuple[bytes, int] | None = None
) -> bytes:
    """With other addresses. The UDP checksum is left out, as IPv4 allows."""
    start = (packet[0] & 15) * 4
    changed = bytearray(packet)
    for place, address, port in ((source, 12, start), (target, 16, start + 2)):
        if place:
            changed[address : address + 4] = place[0]
            struct.pack_into(">H", changed, port, place[1])
    struct.pack_into(">H", changed, start + 6, 0)
    struct.pack_into(">H", changed, 10, 0)
    struct.pack_into(">H", changed, 10, checksum(bytes(changed[:start])))
    return bytes(changed)


def main() -> None:
    router = Router(json.loads(Path(sys.argv[1]).read_text()))
    print("ready", flush=True)
    run_until_stopped(router.step)
    router.close()


if __name__ == "__main__":
    main()
