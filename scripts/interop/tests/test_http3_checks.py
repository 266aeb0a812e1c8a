"""The checks of HTTP/3."""

from __future__ import annotations

import unittest

from capture.connections import Connection
from capture.frames import Frame
from capture.headers import Kind
from capture.http3 import content, has_header_section, is_control_stream
from capture.trace import Packet
from cases import http3_checks
from tests.evidence_case import EvidenceCase
from tests.packets import HELLO, one_rtt, packet

CONTROL = bytes.fromhex("00 04 00")
REQUEST = bytes.fromhex("01 02 0000")
RESPONSE = REQUEST + b"\x00\x07content"
CONNECTION = Connection([b"d"], b"s")
# EncryptedExtensions with the protocol that the server chose.
CHOSEN = "{:06x}{:04x} 0010 {:04x} {:04x} {:02x}"


def stream(number: int, data: bytes, *, fin: int = 0, offset: int = 0, from_server: bool = False) -> Packet:
    frame = Frame("STREAM", {"stream": number, "offset": offset, "fin": fin}, data)
    return one_rtt(frame, from_server=from_server, connection=CONNECTION)


def handshake(protocol: str) -> list[Packet]:
    name = protocol.encode()
    size = len(name)
    lengths = CHOSEN.format(size + 9, size + 7, size + 3, size + 1, size)
    message = b"\x08" + bytes.fromhex(lengths) + name
    frame = Frame("CRYPTO", {"offset": 0, "length": len(message)}, message)
    return [
        packet(Kind.INITIAL, HELLO),
        packet(Kind.INITIAL, from_server=True),
        packet(Kind.HANDSHAKE, frame, from_server=True),
    ]


def exchange(request: bytes = REQUEST, response: bytes = RESPONSE) -> list[Packet]:
    return [
        stream(2, CONTROL),
        stream(0, request, fin=1),
        stream(3, CONTROL, from_server=True),
        stream(0, response, fin=1, from_server=True),
    ]


class HTTP3(EvidenceCase):
    protocol = "h3"

    def test_application_protocol(self) -> None:
        check = http3_checks.check_application_protocol
        check(self.evidence([*handshake("h3"), *exchange()]))
        self.refuses(check, "hq-interop", [*handshake("hq-interop"), *exchange()])
        self.refuses(check, "of the client could be decrypted", handshake("h3"))

    def test_control_streams(self) -> None:
        check = http3_checks.check_application_protocol
        without = [entry for entry in exchange() if entry.frames != stream(3, CONTROL).frames]
        self.refuses(check, "server opened 0 control", [*handshake("h3"), *without])
        again = [*exchange(), stream(6, CONTROL)]
        self.refuses(check, "client opened 2 control", [*handshake("h3"), *again])

    def test_messages(self) -> None:
        check = http3_checks.check_http3
        check(self.evidence([*handshake("h3"), *exchange()]))
        headless, short = RESPONSE[len(REQUEST) :], REQUEST + b"\x00\x06conten"
        for response, reason in ((headless, "does not begin with HEADERS"), (short, r"\[6\] bytes")):
            self.refuses(check, reason, [*handshake("h3"), *exchange(response=response)])
        unfinished = [*exchange()[:-1], stream(0, RESPONSE, from_server=True)]
        self.refuses(check, "did not end", [*handshake("h3"), *unfinished])
        more = [*exchange(), stream(4, REQUEST, fin=1)]
        self.refuses(check, "2 requests for 1", [*handshake("h3"), *more])

    def test_uploads(self) -> None:
        check = http3_checks.check_uploads
        check(self.evidence([*handshake("h3"), *exchange(request=RESPONSE)]))
        self.refuses(check, r"\[0\] bytes", [*handshake("h3"), *exchange()])
        (self.downloads / "file").write_bytes(b"contend")
        self.refuses(check, "differs", [*handshake("h3"), *exchange(request=RESPONSE)])
        (self.downloads / "file").unlink()
        self.refuses(check, "no response", [*handshake("h3"), *exchange(request=RESPONSE)])


class Frames(unittest.TestCase):
    def test_streams_out_of_order_and_repeated(self) -> None:
        from capture.streams import conversations
        from capture.trace import Trace

        pieces = [(4, b"efgh", 1), (0, b"abcd", 0), (2, b"cdef", 0)]
        packets = [stream(0, data, offset=offset, fin=fin) for offset, data, fin in pieces]
        found = conversations(Trace(packets), from_server=False)[0].streams[0]
        self.assertEqual((found.data(), found.is_whole()), (b"abcdefgh", True))
        gap = conversations(Trace(packets[:1]), from_server=False)[0].streams[0]
        self.assertEqual((gap.data(), gap.is_whole()), (b"", False))

    def test_reserved_frames_are_skipped(self) -> None:
        reserved = bytes.fromhex("21 01 ff")
        self.assertTrue(has_header_section(reserved + RESPONSE))
        self.assertFalse(has_header_section(reserved + RESPONSE[len(REQUEST) :]))
        self.assertEqual(content(reserved + RESPONSE + reserved), b"content")

    def test_control_stream(self) -> None:
        self.assertTrue(is_control_stream(CONTROL))
        for other in (b"", b"\x02", CONTROL[:1], b"\x00\x21\x00" + CONTROL[1:]):
            self.assertFalse(is_control_stream(other), other)


if __name__ == "__main__":
    unittest.main()
