"""Packets for the tests of the checks, as if they had been captured."""

from __future__ import annotations

from typing import Any

from capture.frames import Frame
from capture.headers import VERSION_1, Kind
from capture.pcap import Datagram
from capture.trace import Packet

CLIENT, NEW_CLIENT = ("127.0.0.1", 1000), ("127.0.0.1", 1001)
SERVER, PREFERRED = ("127.0.0.1", 443), ("127.0.0.2", 444)
CHALLENGE = Frame("PATH_CHALLENGE", data=b"challeng")
RESPONSE = Frame("PATH_RESPONSE", data=b"challeng")
HELLO = Frame("CRYPTO", {"offset": 0, "length": 7}, b"\x01\x00\x00\x00")


def packet(
    kind: Kind,
    *frames: Frame,
    from_server: bool = False,
    client: Any = CLIENT,
    server: Any = SERVER,
    ecn: int = 0,
    **more: Any,
) -> Packet:
    source, destination = (server, client) if from_server else (client, server)
    size = more.pop("size", 100)
    payload = more.pop("payload", bytes(size))
    fields = {"version": VERSION_1, "destination": b"d", "source": b"s", "token": b"", **more}
    datagram = Datagram(0.0, source, destination, ecn, payload)
    return Packet(kind, datagram=datagram, from_server=from_server, frames=frames, **fields)


def one_rtt(*frames: Frame, **more: Any) -> Packet:
    return packet(Kind.ONE_RTT, *frames, **more)


HANDSHAKE = [
    packet(Kind.INITIAL, HELLO),
    packet(Kind.INITIAL, from_server=True),
    one_rtt(Frame("STREAM")),
]
