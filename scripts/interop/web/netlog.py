"""Chromium's net log: which requests went over HTTP/3, and what came back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HEADERS_SENT, HEADERS_RECEIVED, HEADERS_DECODED = (
    "HTTP3_HEADERS_SENT",
    "HTTP3_HEADERS_RECEIVED",
    "HTTP3_HEADERS_DECODED",
)
ALTERNATIVE_FOUND = "HTTP_STREAM_JOB_CONTROLLER_ALT_SVC_FOUND"


@dataclass
class Exchange:
    """A request on a stream of a QUIC session, and the response to it."""

    path: str
    has_response: bool = False
    status: str = ""


@dataclass
class NetLog:
    # By session and stream.
    exchanges: dict[tuple[int, int], Exchange] = field(default_factory=dict)
    # What Alt-Svc led to, as `quic HOST:PORT`.
    alternatives: set[str] = field(default_factory=set)

    def received(self) -> list[str]:
        """The paths whose responses came over HTTP/3 with status 200, each as often as it came."""
        return [
            exchange.path
            for exchange in self.exchanges.values()
            if exchange.has_response and exchange.status == "200"
        ]

    @property
    def sessions(self) -> int:
        return len({session for session, _ in self.exchanges})


def read(file: Path) -> NetLog:
    text = file.read_text()
    try:
        log = json.loads(text)
    except json.JSONDecodeError:
        # A browser that is stopped leaves out the end.
        log = json.loads(text.rstrip().rstrip(",") + "]}")
    names = {number: name for name, number in log["constants"]["logEventTypes"].items()}
    result = NetLog()
    for event in log["events"]:
        note(result, names.get(event["type"], ""), event["source"]["id"], event.get("params") or {})
    return result


def note(log: NetLog, name: str, session: int, parameters: dict[str, Any]) -> None:
    key = (session, parameters.get("stream_id", -1))
    if name == HEADERS_SENT:
        log.exchanges[key] = Exchange(field_value(parameters, ":path"))
    elif name == HEADERS_RECEIVED and key in log.exchanges:
        log.exchanges[key].has_response = True
    elif name == HEADERS_DECODED and key in log.exchanges:
        log.exchanges[key].status = field_value(parameters, ":status")
    elif name == ALTERNATIVE_FOUND:
        log.alternatives.add(str(parameters.get("alt_svc", "")).partition(",")[0])


def field_value(parameters: dict[str, Any], name: str) -> str:
    for line in parameters.get("headers", []):
        if line.startswith(f"{name}: "):
            return str(line[len(name) + 2 :])
    return ""
