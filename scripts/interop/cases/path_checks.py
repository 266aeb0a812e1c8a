"""Criteria of the cases in which an address changes (RFC 9000 section 9)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.headers import Kind
from capture.pcap import Address
from capture.trace import Packet, Trace
from cases.checks import check_decrypted, check_transfer
from cases.evidence import CheckFailed, Evidence, require

Path = tuple[Address, Address]
PROBING = frozenset({"PATH_CHALLENGE", "PATH_RESPONSE", "NEW_CONNECTION_ID"})
SINGLE_PATH = "the server used a single path: the transfer ended before the first change"


def first_on_new_paths(trace: Trace, *, from_server: bool) -> Iterator[tuple[Path, list[Packet]]]:
    """The first datagram that one side sent on each path but its first."""
    known: set[Path] = set()
    for packets in trace.datagrams(from_server=from_server):
        path = (packets[0].datagram.source, packets[0].datagram.destination)
        if known and path not in known:
            yield path, packets
        known.add(path)


def check_rebinding(evidence: Evidence) -> None:
    check_transfer(evidence)
    check_decrypted(evidence)
    challenges: list[bytes] = []
    for path, packets in first_on_new_paths(evidence.server, from_server=True):
        found = [frame.data for packet in packets for frame in packet.frames_named("PATH_CHALLENGE")]
        require(bool(found), f"the server's first packet {describe(path)} has no PATH_CHALLENGE")
        challenges += found
    require(bool(challenges), SINGLE_PATH)
    check_answered(evidence, challenges)


def describe(path: Path) -> str:
    return f"from {path[0][0]}:{path[0][1]} to {path[1][0]}:{path[1][1]}"


def check_answered(evidence: Evidence, challenges: list[bytes]) -> None:
    answered = {
        frame.data
        for packet in evidence.client.select(from_server=False)
        for frame in packet.frames_named("PATH_RESPONSE")
    }
    unanswered = [challenge.hex() for challenge in challenges if challenge not in answered]
    require(not unanswered, f"{len(unanswered)} of {len(challenges)} PATH_CHALLENGE not answered")


def check_validation(evidence: Evidence) -> None:
    """What RFC 9000 section 9.3 wants of a server, where the runner wants more: see `check_rebinding`."""
    check_transfer(evidence)
    check_decrypted(evidence)
    paths = [path for path, _ in first_on_new_paths(evidence.server, from_server=True)]
    require(bool(paths), SINGLE_PATH)
    for path in paths:
        check_path(evidence, path)


def check_path(evidence: Evidence, path: Path) -> None:
    """Section 8: not more than three times what came, until what the client sends proves that it is there."""
    received = sent = 0
    challenges: set[bytes] = set()
    for packets in evidence.server.datagrams():
        datagram = packets[0].datagram
        if (datagram.source, datagram.destination) == path:
            sent += len(datagram.payload)
            challenges |= frame_data(packets, "PATH_CHALLENGE")
            enough = sent <= 3 * received
            require(enough, f"the server had sent {sent} bytes {describe(path)} when {received} had come")
        elif (datagram.destination, datagram.source) == path:
            received += len(datagram.payload)
            if challenges & frame_data(packets, "PATH_RESPONSE"):
                return
    require(bool(challenges), f"the server sent no PATH_CHALLENGE {describe(path)}")
    raise CheckFailed(f"the client answered no PATH_CHALLENGE {describe(path)}")


def frame_data(packets: list[Packet], name: str) -> set[bytes]:
    return {frame.data for packet in packets for frame in packet.frames_named(name)}


def check_preferred_address(evidence: Evidence) -> None:
    """What RFC 9000 section 9.6 wants of a client."""
    check_transfer(evidence)
    check_decrypted(evidence)
    check_new_connection_ids(evidence)
    first_path = path_of(evidence.client.datagrams(from_server=False)[0])
    challenges: set[bytes] = set()
    answered: set[bytes] = set()
    for packets in evidence.client.datagrams():
        path = path_of(packets)
        if packets[0].from_server:
            answered |= frame_data(packets, "PATH_RESPONSE")
        elif path[1] != first_path[1]:
            challenges |= frame_data(packets, "PATH_CHALLENGE")
            probes = all(is_probe(packet) for packet in packets)
            require(
                probes or bool(challenges & answered), f"the client sent data {describe(path)} unvalidated"
            )
    require(bool(challenges & answered), "the client did not validate the preferred address")
    last = path_of(evidence.server.datagrams(from_server=True)[-1])
    first = path_of(evidence.server.datagrams(from_server=True)[0])
    require(last[0] != first[0], "the server sent nothing from its preferred address in the end")


def path_of(packets: list[Packet]) -> Path:
    return packets[0].datagram.source, packets[0].datagram.destination


def is_probe(packet: Packet) -> bool:
    """RFC 9000 section 9.1."""
    return all(frame.name in PROBING for frame in packet.frames or ())


def check_address_rebinding(evidence: Evidence) -> None:
    datagrams = evidence.server.datagrams(from_server=True)
    hosts = {packets[0].datagram.destination[0] for packets in datagrams}
    require(len(hosts) > 1, f"the server saw a single client address, {sorted(hosts)}")
    check_rebinding(evidence)


def check_migration(evidence: Evidence) -> None:
    check_rebinding(evidence)
    check_new_connection_ids(evidence)


def check_address_change(evidence: Evidence) -> None:
    check_validation(evidence)
    check_new_connection_ids(evidence)


def check_new_connection_ids(evidence: Evidence) -> None:
    used = {packet.destination for packet in sent_on_first_path(evidence.client)}
    moves = list(first_on_new_paths(evidence.client, from_server=False))
    require(bool(moves), "the client sent everything on one path")
    for path, packets in moves:
        destination = packets[0].destination
        where = f"to {path[1][0]}:{path[1][1]}"
        is_new = destination not in used
        require(is_new, f"the client's first packet {where} reuses the connection ID {destination.hex()}")
        used.add(destination)


def sent_on_first_path(trace: Trace) -> list[Packet]:
    packets = [packet for packet in trace.select(from_server=False) if packet.kind is Kind.ONE_RTT]
    first = (packets[0].datagram.source, packets[0].datagram.destination)
    return [entry for entry in packets if (entry.datagram.source, entry.datagram.destination) == first]
