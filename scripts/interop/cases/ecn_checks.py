"""Criteria of the case `ecn` (RFC 9000 section 13.4)."""

from __future__ import annotations

from capture.trace import Trace
from cases.checks import check_decrypted, check_handshake
from cases.evidence import Evidence, require

CONGESTION_EXPERIENCED = 3


def check_ecn(evidence: Evidence) -> None:
    check_handshake(evidence)
    check_decrypted(evidence)
    check_marks("client", evidence.client, from_server=False)
    check_marks("server", evidence.server, from_server=True)
    check_reports("server", evidence.server, from_server=True)
    check_reports("client", evidence.client, from_server=False)


def check_marks(side: str, trace: Trace, *, from_server: bool) -> None:
    marks = [packets[0].datagram.ecn for packets in trace.datagrams(from_server=from_server)]
    require(any(marks), f"the {side} marked none of its {len(marks)} datagrams ECT")
    require(CONGESTION_EXPERIENCED not in marks, f"the {side} sent datagrams marked CE")


def check_reports(side: str, trace: Trace, *, from_server: bool) -> None:
    reports = [packet for packet in trace.select(from_server=from_server) if packet.frames_named("ACK_ECN")]
    require(bool(reports), f"the {side} sent no ACK frame with ECN counts")
