"""The net log is read as Chromium writes it, and as it leaves it when it is stopped."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

from web import netlog
from web.page import COMPLETE, SUB_RESOURCES, write_page

SENT, RECEIVED, DECODED, FOUND = 1, 2, 3, 4
TYPES = {
    "HTTP3_HEADERS_SENT": SENT,
    "HTTP3_HEADERS_RECEIVED": RECEIVED,
    "HTTP3_HEADERS_DECODED": DECODED,
    "HTTP_STREAM_JOB_CONTROLLER_ALT_SVC_FOUND": FOUND,
}


def event(kind: int, session: int, **parameters: Any) -> dict[str, Any]:
    return {"type": kind, "source": {"id": session, "type": 0}, "params": parameters}


def exchange(stream: int, path: str, status: str = "200") -> list[dict[str, Any]]:
    return [
        event(SENT, 7, stream_id=stream, headers=[":method: GET", f":path: {path}"]),
        event(RECEIVED, 7, stream_id=stream),
        event(DECODED, 7, stream_id=stream, headers=[f":status: {status}"]),
    ]


class NetLog(unittest.TestCase):
    def read(self, events: list[dict[str, Any]], *, cut: bool = False) -> netlog.NetLog:
        text = json.dumps({"constants": {"logEventTypes": TYPES}, "events": events})
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "log"
            file.write_text(text[: -len("]}")] + ",\n" if cut else text)
            return netlog.read(file)

    def test_responses(self) -> None:
        events = [*exchange(0, "/a"), *exchange(4, "/b", "404"), *exchange(8, "/c")[:1]]
        for cut in (False, True):
            self.assertEqual(self.read(events, cut=cut).received(), ["/a"])

    def test_a_response_on_another_session_is_not_this_one_s(self) -> None:
        log = self.read([*exchange(0, "/a")[:1], event(RECEIVED, 8, stream_id=0)])
        self.assertEqual((log.received(), log.sessions), ([], 1))

    def test_alternatives(self) -> None:
        log = self.read([event(FOUND, 1, alt_svc="quic localhost:4433, expires soon")])
        self.assertEqual(log.alternatives, {"quic localhost:4433"})


class Page(unittest.TestCase):
    def test_it_names_all_its_parts(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            paths = write_page(Path(folder))
            text = (Path(folder) / "index.html").read_text()
        self.assertEqual(len(paths), SUB_RESOURCES + 1)
        self.assertTrue(all(f'"{path[1:]}"' in text for path in paths if path != "/index.html"))
        self.assertNotIn(COMPLETE, text)


if __name__ == "__main__":
    unittest.main()
