"""The checks refuse what they are there to refuse."""

from __future__ import annotations

import unittest

from capture.connections import Connection
from capture.frames import Frame, decode
from capture.headers import Kind, split
from capture.tls import Hello
from capture.trace import Packet
from cases import checks, ecn_checks, path_checks
from tests.evidence_case import EvidenceCase
from tests.packets import CHALLENGE, HANDSHAKE, HELLO, NEW_CLIENT, RESPONSE, one_rtt, packet


class Checks(EvidenceCase):
    def test_files(self) -> None:
        checks.check_transfer(self.evidence(HANDSHAKE))
        (self.downloads / "file").write_bytes(b"contend")
        self.refuses(checks.check_files, "differs", HANDSHAKE)
        (self.downloads / "file").unlink()
        self.refuses(checks.check_files, "missing", HANDSHAKE)

    def test_handshakes(self) -> None:
        second = packet(Kind.INITIAL, from_server=True, source=b"other")
        self.refuses(checks.check_handshake, "2 handshakes", [*HANDSHAKE, second])
        self.refuses(checks.check_handshake, "Retry", [*HANDSHAKE, packet(Kind.RETRY, from_server=True)])
        self.refuses(checks.check_long_rtt, "1 ClientHello", HANDSHAKE)
        checks.check_long_rtt(self.evidence([*HANDSHAKE, HANDSHAKE[0]]))

    def test_retry(self) -> None:
        retry = packet(Kind.RETRY, from_server=True, token=b"token")
        again = packet(Kind.INITIAL, HELLO, token=b"token", number=1)
        first = packet(Kind.INITIAL, HELLO, number=0)
        answered = [first, retry, again, HANDSHAKE[1]]
        checks.check_retry(self.evidence(answered))
        self.refuses(checks.check_retry, "no Retry", HANDSHAKE)
        self.refuses(checks.check_retry, "carries the token", [retry, *HANDSHAKE])
        reset = packet(Kind.INITIAL, HELLO, token=b"token", number=0)
        self.refuses(checks.check_retry, "reset its packet number", [first, retry, reset, HANDSHAKE[1]])

    def test_zero_rtt(self) -> None:
        handshakes = [*HANDSHAKE, packet(Kind.INITIAL, from_server=True, source=b"other")]
        early = packet(Kind.ZERO_RTT, protected_length=500)
        checks.check_zero_rtt(self.evidence([*handshakes, early]))
        self.refuses(checks.check_zero_rtt, "no 0-RTT", handshakes)
        late = one_rtt(protected_length=5001)
        self.refuses(checks.check_zero_rtt, "5001 bytes", [*handshakes, early, late])

    def test_resumption(self) -> None:
        def flight(message: bytes, source: bytes) -> list[Packet]:
            frame = Frame("CRYPTO", {"offset": 0, "length": len(message)}, message)
            kinds = (Kind.INITIAL, Kind.HANDSHAKE)
            return [packet(kind, frame, from_server=True, source=source) for kind in kinds]

        full, resumed = bytes.fromhex("0b000000"), bytes.fromhex("14000000")
        checks.check_resumption(self.evidence(flight(full, b"1") + flight(resumed, b"2")))
        twice = flight(full, b"1") + flight(full, b"2")
        self.refuses(checks.check_resumption, "not resumed", twice)
        self.refuses(checks.check_resumption, "1 handshakes", flight(full, b"1"))

    def test_stream_limit(self) -> None:
        for encoded, is_allowed in (("43e8", True), ("43e9", False)):
            parameters = bytes.fromhex("0802" + encoded)
            extension = bytes.fromhex("0039") + len(parameters).to_bytes(2, "big") + parameters
            body = len(extension).to_bytes(2, "big") + extension
            message = b"\x08" + len(body).to_bytes(3, "big") + body
            frame = Frame("CRYPTO", {"offset": 0, "length": len(message)}, message)
            trace = [*HANDSHAKE, packet(Kind.HANDSHAKE, frame, from_server=True)]
            if is_allowed:
                checks.check_multiplexing(self.evidence(trace))
            else:
                self.refuses(checks.check_multiplexing, "1001 streams", trace)
        self.refuses(checks.check_multiplexing, "could not be read", HANDSHAKE)

    def test_cipher_suites(self) -> None:
        for suites, is_allowed in (((0x1303,), True), ((0x1303, 0x1301), False)):
            hello = Connection([b"d"], b"s", hello=Hello(b"", suites, {}))
            trace = [packet(Kind.INITIAL, HELLO, connection=hello), *HANDSHAKE[1:]]
            if is_allowed:
                checks.check_chacha20(self.evidence(trace))
            else:
                self.refuses(checks.check_chacha20, "0x1301", trace)

    def test_key_update(self) -> None:
        updated = one_rtt(key_phase=1)
        self.refuses(checks.check_key_update, "server sent 0", [*HANDSHAKE, updated])
        checks.check_key_update(self.evidence([*HANDSHAKE, updated, one_rtt(key_phase=1, from_server=True)]))

    def test_amplification(self) -> None:
        chain = packet(
            Kind.HANDSHAKE, Frame("CRYPTO", {"offset": 7000, "length": 1000}), from_server=True, size=3600
        )
        proof = packet(Kind.HANDSHAKE)
        hello, answer = packet(Kind.INITIAL, HELLO, size=1200), packet(Kind.INITIAL, from_server=True, size=0)
        checks.check_amplification(self.evidence([hello, answer, chain, proof]))
        more = packet(Kind.HANDSHAKE, from_server=True, size=1)
        self.refuses(checks.check_amplification, "3601 bytes", [hello, answer, chain, more, proof])
        self.refuses(checks.check_amplification, "no Handshake", [hello, answer, chain])

    def test_rebinding(self) -> None:
        before = [*HANDSHAKE, one_rtt(from_server=True)]
        validated = [one_rtt(CHALLENGE, from_server=True, client=NEW_CLIENT), one_rtt(RESPONSE)]
        path_checks.check_rebinding(self.evidence([*before, *validated]))
        self.refuses(path_checks.check_rebinding, "single path", before)
        silent = one_rtt(Frame("STREAM"), from_server=True, client=NEW_CLIENT)
        self.refuses(path_checks.check_rebinding, "no PATH_CHALLENGE", [*before, silent, *validated])
        self.refuses(path_checks.check_rebinding, "1 of 1", [*before, validated[0]])
        self.refuses(path_checks.check_address_rebinding, "single client address", [*before, *validated])

    def test_migration_with_the_same_connection_id(self) -> None:
        before = [*HANDSHAKE, one_rtt(from_server=True)]
        challenge = one_rtt(CHALLENGE, from_server=True, client=NEW_CLIENT)
        for destination, is_new in ((b"d", False), (b"e", True)):
            moved = one_rtt(RESPONSE, client=NEW_CLIENT, destination=destination)
            trace = [*before, challenge, moved]
            if is_new:
                path_checks.check_migration(self.evidence(trace))
            else:
                self.refuses(path_checks.check_migration, "reuses the connection ID", trace)

    def test_version_negotiation(self) -> None:
        def answer(versions: str) -> Packet:
            payload = bytes.fromhex("c0 00000000 01 63 01 64" + versions)
            return packet(
                Kind.VERSION_NEGOTIATION, from_server=True, destination=b"c", source=b"d", payload=payload
            )

        strange = packet(Kind.UNKNOWN_VERSION, version=0x1A2A3A4A, source=b"c")
        check = checks.check_version_negotiation
        check(self.evidence([strange, answer("00000001 6b3343cf"), *HANDSHAKE]))
        self.refuses(check, "did not begin", HANDSHAKE)
        self.refuses(check, "sent no Version", [strange, *HANDSHAKE])
        self.refuses(check, "just tried", [strange, answer("00000001 1a2a3a4a"), *HANDSHAKE])
        self.refuses(check, "offers", [strange, answer("6b3343cf"), *HANDSHAKE])

    def test_ecn(self) -> None:
        report = Frame("ACK_ECN")
        marked = [packet(Kind.INITIAL, HELLO, ecn=2), packet(Kind.INITIAL, from_server=True, ecn=2)]
        both = [one_rtt(report, ecn=2), one_rtt(report, ecn=2, from_server=True)]
        ecn_checks.check_ecn(self.evidence([*marked, *both]))
        self.refuses(ecn_checks.check_ecn, "marked none", [*HANDSHAKE, *both[1:]])
        self.refuses(ecn_checks.check_ecn, "server sent no ACK", [*marked, both[0]])
        self.refuses(ecn_checks.check_ecn, "CE", [*marked, *both, one_rtt(ecn=3)])


class Parsing(unittest.TestCase):
    def test_damaged_datagrams_do_not_raise(self) -> None:
        for length in range(60):
            list(split(b"\xc0\x00\x00\x00\x01" + b"\xff" * length))

    def test_a_version_nobody_knows(self) -> None:
        datagram = bytes.fromhex("c0 1a2a3a4a 02 aabb 01 cc ffff")
        headers = list(split(datagram))
        self.assertEqual([header.kind for header in headers], [Kind.UNKNOWN_VERSION])
        self.assertEqual((headers[0].destination, headers[0].source), (b"\xaa\xbb", b"\xcc"))

    def test_frames(self) -> None:
        names = [frame.name for frame in decode(bytes.fromhex("0000 01 02 00 00 00 00 0a 00 01 41 1e"))]
        self.assertEqual(names, ["PING", "ACK", "STREAM", "HANDSHAKE_DONE"])


if __name__ == "__main__":
    unittest.main()
