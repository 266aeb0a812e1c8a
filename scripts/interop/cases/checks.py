"""Criteria that several cases share, and those of the cases about handshakes and transfers."""

from __future__ import annotations

import hashlib
from pathlib import Path

from capture import tls
from capture.headers import VERSION_1, VERSION_2, Kind, offered_versions
from capture.keys import CHACHA20_POLY1305
from capture.trace import Packet
from cases.evidence import CheckFailed, Evidence, require

INITIAL_MAX_STREAMS_BIDI = 0x08
MOST_STREAMS = 1000
EARLY_DATA_FILES = 40
EARLY_DATA_NAME_LENGTH = 250
# The runner's bound for `zerortt`: half of what the requests take.
MOST_LATE_BYTES = EARLY_DATA_FILES * EARLY_DATA_NAME_LENGTH // 2
REPRESENTATIVE_CHAIN_BYTES = 7500


def check_files(evidence: Evidence) -> None:
    # A file still on its way has a name that starts with a dot.
    found = {entry.name for entry in evidence.downloads.iterdir() if not entry.name.startswith(".")}
    missing = sorted(set(evidence.file_names) - found)
    unexpected = sorted(found - set(evidence.file_names))
    require(not missing, f"{len(missing)} of {len(evidence.file_names)} files missing, such as {missing[:1]}")
    require(not unexpected, f"files nobody asked for: {unexpected[:3]}")
    for name in evidence.file_names:
        same = same_content(evidence.www / name, evidence.downloads / name)
        require(same, f"{name} differs from the original")


def same_content(one: Path, other: Path) -> bool:
    return one.stat().st_size == other.stat().st_size and digest(one) == digest(other)


def digest(file: Path) -> bytes:
    """Read piece by piece, as there are files of a gigabyte."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def check_versions(evidence: Evidence) -> None:
    versions = {packet.version for packet in evidence.server.select(Kind.INITIAL, from_server=True)}
    require(versions == {VERSION_1}, f"the server's Initial packets are of {sorted(map(hex, versions))}")


def check_handshakes(evidence: Evidence, expected: int) -> None:
    # A server's Initial packets keep their source connection ID, so that it counts connections.
    initials = evidence.server.select(Kind.INITIAL, from_server=True)
    count = len({packet.source for packet in initials})
    require(count == expected, f"{count} handshakes, expected {expected}")


def check_decrypted(evidence: Evidence) -> None:
    """Without the keys, the criteria that follow would see nothing and blame the endpoints."""
    packets = evidence.client.select(Kind.ONE_RTT, from_server=False)
    require(bool(packets), "the client sent no 1-RTT packet")
    opened = sum(packet.frames is not None for packet in packets)
    require(opened > 0, "no 1-RTT packet could be decrypted: is SSLKEYLOGFILE written?")


def check_transfer(evidence: Evidence, handshakes: int = 1) -> None:
    check_handshakes(evidence, handshakes)
    check_versions(evidence)
    check_files(evidence)


def check_handshake(evidence: Evidence) -> None:
    require(not evidence.client.select(Kind.RETRY), "a Retry was sent")
    check_transfer(evidence)


def check_long_rtt(evidence: Evidence) -> None:
    check_transfer(evidence)
    initials = evidence.client.select(Kind.INITIAL, from_server=False)
    hellos = sum(starts_crypto(packet) for packet in initials)
    require(hellos >= 2, f"{hellos} ClientHello, expected it repeated as the round trip exceeds the timeout")


def starts_crypto(packet: Packet) -> bool:
    return any(frame.values["offset"] == 0 for frame in packet.frames_named("CRYPTO"))


def check_chacha20(evidence: Evidence) -> None:
    check_transfer(evidence)
    hellos = {
        packet.connection.hello.cipher_suites
        for packet in evidence.client.select(Kind.INITIAL, from_server=False)
        if packet.connection and packet.connection.hello
    }
    expected = {(CHACHA20_POLY1305,)}
    require(hellos == expected, f"offered {[[hex(suite) for suite in offer] for offer in hellos]}")
    check_decrypted(evidence)


def check_multiplexing(evidence: Evidence) -> None:
    check_transfer(evidence)
    limits = [
        int.from_bytes(limit, "big") & ((1 << (8 * len(limit) - 2)) - 1)
        for limit in server_parameters(evidence, INITIAL_MAX_STREAMS_BIDI)
    ]
    require(bool(limits), "the server's limit of streams could not be read")
    require(max(limits) <= MOST_STREAMS, f"the server allows {max(limits)} streams, more than {MOST_STREAMS}")


def server_parameters(evidence: Evidence, identifier: int) -> list[bytes]:
    """The values of a transport parameter that the server's handshakes contain."""
    found = []
    for crypto in evidence.client.crypto(Kind.HANDSHAKE, from_server=True).values():
        for message in crypto.messages():
            if message.kind != tls.ENCRYPTED_EXTENSIONS:
                continue
            encoded = tls.encrypted_extensions(message.body).get(tls.QUIC_TRANSPORT_PARAMETERS, b"")
            value = tls.transport_parameters(encoded).get(identifier)
            found += [] if value is None else [value]
    return found


def check_retry(evidence: Evidence) -> None:
    check_transfer(evidence)
    tokens = {packet.token for packet in evidence.client.select(Kind.RETRY, from_server=True)}
    require(bool(tokens), "no Retry was sent")
    require(b"" not in tokens, "a Retry has no token")
    highest_before = -1
    for packet in evidence.client.select(Kind.INITIAL, from_server=False):
        if not packet.token:
            highest_before = max(highest_before, packet.number)
            continue
        require(packet.number > highest_before, "the client reset its packet number after the Retry")
        if packet.token in tokens:
            return
    raise CheckFailed("no Initial packet carries the token of the Retry")


def check_resumption(evidence: Evidence) -> None:
    check_handshakes(evidence, 2)
    certificates = [
        any(message.kind == tls.CERTIFICATE for message in crypto.messages())
        for crypto in evidence.client.crypto(Kind.HANDSHAKE, from_server=True).values()
    ]
    require(len(certificates) == 2, f"the server's Handshake packets are of {len(certificates)} connections")
    require(certificates[0], "the first handshake has no Certificate")
    require(not certificates[1], "the second handshake has a Certificate: the session was not resumed")
    check_versions(evidence)
    check_files(evidence)


def check_zero_rtt(evidence: Evidence) -> None:
    check_transfer(evidence, handshakes=2)
    early = sum(carried(packet) for packet in evidence.client.select(Kind.ZERO_RTT, from_server=False))
    late = sum(carried(packet) for packet in evidence.client.select(Kind.ONE_RTT, from_server=False))
    require(early > 0, "the client sent no 0-RTT data")
    require(
        late <= MOST_LATE_BYTES, f"{late} bytes from the client came in 1-RTT packets, over {MOST_LATE_BYTES}"
    )


def carried(packet: Packet) -> int:
    """The protected bytes of a packet. What no key opens counts as a whole, being hidden."""
    return packet.protected_length if packet.frames is not None else len(packet.datagram.payload)


def check_key_update(evidence: Evidence) -> None:
    check_transfer(evidence)
    check_decrypted(evidence)
    for side, trace, from_server in (
        ("client", evidence.client, False),
        ("server", evidence.server, True),
    ):
        phases = [packet.key_phase for packet in trace.select(Kind.ONE_RTT, from_server=from_server)]
        require(1 in phases, f"the {side} sent {len(phases)} packets, none with key phase 1")


def check_version_2(evidence: Evidence) -> None:
    def versions(kind: Kind, *, from_server: bool) -> set[int]:
        trace = evidence.server if from_server else evidence.client
        return {packet.version for packet in trace.select(kind, from_server=from_server)}

    offered, chosen = versions(Kind.INITIAL, from_server=False), versions(Kind.INITIAL, from_server=True)
    require(VERSION_1 in offered, "the client did not start with version 1")
    require(VERSION_2 in chosen, "the server's Initial packets are not version 2")
    for side, from_server in (("client", False), ("server", True)):
        found = versions(Kind.HANDSHAKE, from_server=from_server)
        require(found == {VERSION_2}, f"the {side}'s Handshake packets are of {sorted(map(hex, found))}")
    check_files(evidence)


def check_version_negotiation(evidence: Evidence) -> None:
    """RFC 9000 section 6: an unknown version is answered with those that are spoken; one of them is used."""
    strange = evidence.server.select(Kind.UNKNOWN_VERSION, from_server=False)
    require(bool(strange), "the client did not begin with an unknown version")
    answers = evidence.server.select(Kind.VERSION_NEGOTIATION, from_server=True)
    for_client = [packet for packet in answers if packet.destination == strange[0].source]
    require(bool(for_client), "the server sent no Version Negotiation for it")
    answer = for_client[0]
    require(answer.source == strange[0].destination, "Version Negotiation does not return the connection IDs")
    offered = offered_versions(answer.datagram.payload)
    require(VERSION_1 in offered, f"Version Negotiation offers {[hex(version) for version in offered]}")
    require(strange[0].version not in offered, "Version Negotiation offers what the client just tried")
    check_transfer(evidence)


def check_ipv6(evidence: Evidence) -> None:
    check_transfer(evidence)
    sent = evidence.server.select(from_server=True)
    over_ipv4 = [packet for packet in sent if ":" not in packet.datagram.source[0]]
    require(not over_ipv4, f"{len(over_ipv4)} packets went over IPv4")


def check_amplification(evidence: Evidence) -> None:
    check_transfer(evidence)
    sizes = [
        frame.values["offset"] + frame.values["length"]
        for packet in evidence.server.select(Kind.HANDSHAKE, from_server=True)
        for frame in packet.frames_named("CRYPTO")
    ]
    largest = max(sizes, default=0)
    require(largest >= REPRESENTATIVE_CHAIN_BYTES, f"the server's handshake takes only {largest} bytes")
    received = sent = 0
    for packets in evidence.server.datagrams():
        size = len(packets[0].datagram.payload)
        if packets[0].from_server:
            sent += size
            require(sent <= 3 * received, f"the server had sent {sent} bytes when it had got {received}")
        elif any(packet.kind is Kind.HANDSHAKE for packet in packets):
            # RFC 9000 section 8.1: only who has the server's Initial can send one, so the address is valid.
            return
        else:
            received += size
    raise CheckFailed("the client sent no Handshake packet")
