"""Criteria of the cases in which an address changes (RFC 9000 section 9)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.headers import Kind
from capture.pcap import Address
from capture.trace import Packet, Trace
from cases.checks import check_decrypted, check_transfer
from cases.evidence import Evidence, require

Path = tuple[Address, Address]


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
        where = f"from {path[0][0]}:{path[0][1]} to {path[1][0]}:{path[1][1]}"
        require(bool(found), f"the server's first packet {where} has no PATH_CHALLENGE")
        challenges += found
    require(bool(challenges), "the server used a single path: the transfer ended before the first change")
    answered = {
        frame.data
        for packet in evidence.client.select(from_server=False)
        for frame in packet.frames_named("PATH_RESPONSE")
    }
    unanswered = [challenge.hex() for challenge in challenges if challenge not in answered]
    require(not unanswered, f"{len(unanswered)} of {len(challenges)} PATH_CHALLENGE not answered")


def check_address_rebinding(evidence: Evidence) -> None:
    datagrams = evidence.server.datagrams(from_server=True)
    hosts = {packets[0].datagram.destination[0] for packets in datagrams}
    require(len(hosts) > 1, f"the server saw a single client address, {sorted(hosts)}")
    check_rebinding(evidence)


def check_migration(evidence: Evidence) -> None:
    check_rebinding(evidence)
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
