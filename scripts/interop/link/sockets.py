"""UDP sockets that carry the ECN bits of the IP header, and tell when a datagram arrived."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from capture.pcap import Address

# Linux's number, which Python does not name. The timestamp is one of the real-time clock.
SO_TIMESTAMPNS = 35
TIMESTAMP = struct.Struct("qq")
ANCILLARY_SPACE = socket.CMSG_SPACE(4) + socket.CMSG_SPACE(TIMESTAMP.size)
LARGEST_DATAGRAM = 65536
ECN_MASK = 0x03
Ancillary = list[tuple[int, int, bytes]]
# Keeps one busy socket from starving the deliveries that are due.
BATCH = 64


@dataclass(frozen=True, slots=True)
class Received:
    payload: bytes
    ecn: int
    sender: Address
    # When the kernel got it, in nanoseconds since the epoch. The link may only come to read it later.
    time_ns: int


class EcnSocket:
    def __init__(self, address: Address) -> None:
        self.is_ipv6 = ":" in address[0]
        family = socket.AF_INET6 if self.is_ipv6 else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if self.is_ipv6:
            self._level, self._option = socket.IPPROTO_IPV6, socket.IPV6_TCLASS
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        else:
            self._level, self._option = socket.IPPROTO_IP, socket.IP_TOS
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        self._socket.bind(address)
        self.address: Address = self._socket.getsockname()[:2]

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def receive(self) -> Iterator[Received]:
        """The datagrams that wait."""
        for _ in range(BATCH):
            try:
                payload, ancillary, _, sender = self._socket.recvmsg(LARGEST_DATAGRAM, ANCILLARY_SPACE)
            except BlockingIOError:
                return
            yield self._received(payload, ancillary, sender[:2])

    def send(self, payload: bytes, ecn: int, destination: Address) -> None:
        ancillary = [(self._level, self._option, struct.pack("i", ecn))] if ecn else []
        # A network doesn't tell when nobody listens any more.
        with contextlib.suppress(OSError):
            self._socket.sendmsg([payload], ancillary, 0, destination)

    def _received(self, payload: bytes, ancillary: Ancillary, sender: Address) -> Received:
        ecn, time_ns = 0, time.time_ns()
        for level, kind, data in ancillary:
            if level == self._level and kind == self._option:
                ecn = data[0] & ECN_MASK
            elif level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = TIMESTAMP.unpack(data)
                time_ns = seconds * 1_000_000_000 + nanoseconds
        return Received(payload, ecn, sender, time_ns)
