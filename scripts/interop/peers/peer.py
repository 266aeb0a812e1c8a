"""What the harness knows of a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """One role of a peer. It follows the contract of README.md."""

    command: tuple[str, ...]
    # The file without which it can't run.
    needs: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    # Cases it is known not to pass through no fault of the other side, with the reason. The harness does not
    # take this on trust: it runs the peer against itself.
    unsupported: Mapping[str, str] = field(default_factory=dict)
    # The cases that its options can bring about; None for all. The others are left out of the matrix.
    does: frozenset[str] | None = None
    # What this build of the program does not have yet for a protocol.
    lacks: Callable[[str], str | None] = lambda protocol: None
    # A server that can't needs a network without address translation to have a preferred address.
    can_advertise_any_address: bool = True

    def covers(self, case: str) -> bool:
        return self.does is None or case in self.does


@dataclass(frozen=True)
class Peer:
    name: str
    client: Program | None
    server: Program | None
    # How to get it when it is not there.
    remedy: str
    protocols: frozenset[str] = frozenset({"hq-interop", "h3"})
