"""Criteria that are rates."""

from __future__ import annotations

from capture.headers import Kind
from cases.checks import check_transfer
from cases.evidence import Evidence, require

LINK_MBIT_PER_SECOND = 10.0
LEAST_GOODPUT = 8.5
LEAST_SHARE, LARGEST_SHARE = 0.30, 0.70


def goodput(evidence: Evidence) -> float:
    """Mbit/s of file data, from the first to the last 1-RTT packet that reached the client."""
    times = [packet.datagram.time for packet in evidence.client.select(Kind.ONE_RTT, from_server=True)]
    require(len(times) > 1 and times[-1] > times[0], "the server sent no data")
    return evidence.transferred_bytes * 8 / (times[-1] - times[0]) / 1e6


def check_goodput(evidence: Evidence) -> str:
    check_transfer(evidence)
    rate = goodput(evidence)
    enough = rate >= LEAST_GOODPUT
    require(enough, f"{rate:.2f} Mbit/s, less than {LEAST_GOODPUT} of {LINK_MBIT_PER_SECOND:g}")
    return f"{rate:.2f} Mbit/s"


def check_cross_traffic(evidence: Evidence) -> str:
    check_transfer(evidence)
    rate = goodput(evidence)
    share = rate / LINK_MBIT_PER_SECOND
    fair = LEAST_SHARE <= share <= LARGEST_SHARE
    bounds = f"{LEAST_SHARE:.0%} to {LARGEST_SHARE:.0%}"
    require(fair, f"{share:.0%} of the link beside a TCP connection, not {bounds}")
    return f"{rate:.2f} Mbit/s"
