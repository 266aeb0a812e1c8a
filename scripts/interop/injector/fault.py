"""A fault, and what is expected of the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from injector.connection import FaultyConnection, Tampering
from injector.errors import Error, generic_for

# Sends by aioquic's own means, or returns whole datagrams to be sent as they are.
Action = Callable[[FaultyConnection], "bytes | None"]


@dataclass(frozen=True)
class Fault:
    name: str
    # "transport", "tls", "http3" or "qpack".
    part: str
    section: str
    # What the client does wrong, after "MUST send … if".
    story: str
    expected: tuple[Error, ...]
    tampering: Tampering = field(default_factory=Tampering)
    # When there are keys for Handshake packets, and the client's Finished has not been sent.
    in_handshake: Action | None = None
    # When the handshake is confirmed.
    when_confirmed: Action | None = None
    # On a connection that resumes an earlier one, behind its ClientHello.
    with_early_data: Action | None = None
    # Offered by ALPN instead of the real one.
    protocol: str = ""

    def accepts(self, answer: Error | None, *, generic: bool) -> bool:
        """`generic`: whether general errors may stand for the one expected, as h3spec has it."""
        if answer is None:
            return False
        return answer in self.expected or (
            generic and any(answer in generic_for(expected) for expected in self.expected)
        )


@dataclass(frozen=True)
class Observation:
    fault: Fault
    answer: Error | None
    # Why there is none, or the server's own words.
    detail: str
    seconds: float

    def to_json(self, *, passed: bool) -> dict[str, Any]:
        return {
            "name": self.fault.name,
            "part": self.fault.part,
            "section": self.fault.section,
            "story": self.fault.story,
            "expected": [str(error) for error in self.fault.expected],
            "answer": None if self.answer is None else str(self.answer),
            "detail": self.detail,
            "passed": passed,
            "seconds": round(self.seconds, 3),
        }
