"""What a run leaves behind for the checks to judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capture.trace import Trace


class CheckFailed(Exception):
    """A criterion is not met; the message says which, with what was found instead."""


def require(condition: bool, reason: str) -> None:
    if not condition:
        raise CheckFailed(reason)


@dataclass(frozen=True)
class Evidence:
    www: Path
    downloads: Path
    file_names: tuple[str, ...]
    # Seen next to the client, and next to the server.
    client: Trace
    server: Trace
    # By ALPN.
    protocol: str = "hq-interop"

    @property
    def transferred_bytes(self) -> int:
        return sum((self.www / name).stat().st_size for name in self.file_names)
