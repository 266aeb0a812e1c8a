"""UDP sockets that carry the ECN bits of the IP header in both directions."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

from capture.pcap import Address

ANCILLARY_SPACE = socket.CMSG_SPACE(4) * 2
LARGEST_DATAGRAM = 65536
ECN_MASK = 0x03
# Keeps one busy socket from starving the deliveries that are due.
BATCH = 64


class EcnSocket:
    def __init__(self, address: Address) -> None:
        self.is_ipv6 = ":" in address[0]
        family = socket.AF_INET6 if self.is_ipv6 else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
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

    def receive(self) -> Iterator[tuple[bytes, int, Address]]:
        """The datagrams that wait, each with its ECN bits and sender."""
        for _ in range(BATCH):
            try:
                payload, ancillary, _, sender = self._socket.recvmsg(LARGEST_DATAGRAM, ANCILLARY_SPACE)
            except BlockingIOError:
                return
            yield payload, self._ecn(ancillary), sender[:2]

    def send(self, payload: bytes, ecn: int, destination: Address) -> None:
        ancillary = [(self._level, self._option, struct.pack("i", ecn))] if ecn else []
        # A network doesn't tell when nobody listens any more.
        with contextlib.suppress(OSError):
            self._socket.sendmsg([payload], ancillary, 0, destination)

    def _ecn(self, ancillary: list[tuple[int, int, bytes]]) -> int:
        for level, kind, data in ancillary:
            if level == self._level and kind in (self._option, socket.IP_TOS):
                return data[0] & ECN_MASK
        return 0
