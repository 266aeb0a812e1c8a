"""What the tests of the checks have in common."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any

from capture.trace import Packet, Trace
from cases.evidence import CheckFailed, Evidence


class EvidenceCase(unittest.TestCase):
    """One file was asked for, and has come."""

    protocol = "hq-interop"

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.www, self.downloads = (Path(folder.name) / name for name in ("www", "downloads"))
        for place in (self.www, self.downloads):
            place.mkdir()
            (place / "file").write_bytes(b"content")

    def evidence(self, client: list[Packet], server: list[Packet] | None = None) -> Evidence:
        seen_by_server = client if server is None else server
        traces = Trace(client), Trace(seen_by_server)
        return Evidence(self.www, self.downloads, ("file",), *traces, self.protocol)

    def refuses(
        self, check: Any, reason: str, client: list[Packet], server: list[Packet] | None = None
    ) -> None:
        with self.assertRaisesRegex(CheckFailed, reason):
            check(self.evidence(client, server))
