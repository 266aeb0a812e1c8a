"""HTTP/3 on aioquic: requests and responses for its endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StreamReset

from endpoints.contract import Contract, Request
from endpoints.downloads import Download

Headers = list[tuple[bytes, bytes]]

PIECE = 1 << 20
# How much of a file may wait in aioquic, which takes whatever it is given.
LARGEST_BACKLOG = 4 * PIECE
# Between looks at what is still waiting there.
PAUSE = 0.005


def pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while piece := stream.read(PIECE):
            yield piece


class HTTP3Endpoint(QuicConnectionProtocol):
    def __init__(self, quic: QuicConnection) -> None:
        super().__init__(quic)
        self._http: H3Connection | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def http(self) -> H3Connection:
        if self._http is None:
            self._http = H3Connection(self._quic)
        return self._http

    def quic_event_received(self, event: QuicEvent) -> None:
        for entry in self.http.handle_event(event):
            self.http_event_received(entry)

    def http_event_received(self, event: H3Event) -> None:
        raise NotImplementedError

    def send_file(self, stream: int, file: Path) -> None:
        task = asyncio.get_running_loop().create_task(self._send_file(stream, file))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_file(self, stream: int, file: Path) -> None:
        for piece in pieces(file):
            while self._backlog(stream) > LARGEST_BACKLOG:
                await asyncio.sleep(PAUSE)
            self.http.send_data(stream, piece, end_stream=False)
            self.transmit()
        self.http.send_data(stream, b"", end_stream=True)
        self.transmit()

    def _backlog(self, stream: int) -> int:
        return len(self._quic._streams[stream].sender._buffer)


class HTTP3Server(HTTP3Endpoint):
    """Serves the files, and echoes what is posted to `/echo`."""

    def __init__(self, quic: QuicConnection, www: Path) -> None:
        super().__init__(quic)
        self._www = www
        self._echoes: set[int] = set()

    def http_event_received(self, event: H3Event) -> None:
        if isinstance(event, HeadersReceived):
            self._respond(event)
        elif isinstance(event, DataReceived) and event.stream_id in self._echoes:
            self.http.send_data(event.stream_id, event.data, end_stream=event.stream_ended)
            self.transmit()

    def _respond(self, event: HeadersReceived) -> None:
        fields = dict(event.headers)
        method, path = fields.get(b":method", b""), fields.get(b":path", b"").decode(errors="replace")
        stream = event.stream_id
        file = (self._www / path.lstrip("/")).resolve()
        if method == b"POST" and path == "/echo":
            self.http.send_headers(stream, status(200), end_stream=event.stream_ended)
            self._echoes.add(stream)
        elif method == b"GET" and file.is_relative_to(self._www.resolve()) and file.is_file():
            length = (b"content-length", str(file.stat().st_size).encode())
            self.http.send_headers(stream, [*status(200), length])
            self.send_file(stream, file)
        else:
            self.http.send_headers(stream, status(404), end_stream=True)


def status(code: int) -> Headers:
    return [(b":status", str(code).encode())]


class HTTP3Client(HTTP3Endpoint):
    def __init__(self, quic: QuicConnection, contract: Contract) -> None:
        super().__init__(quic)
        self._contract = contract
        self._downloads: dict[int, Download] = {}

    async def fetch(self, requests: list[Request]) -> None:
        started = [self._start(request, b"GET", request.file_name) for request in requests]
        self.transmit()
        await asyncio.gather(*(download.finished for download, _ in started))

    async def post(self, request: Request, uploads: list[Path]) -> None:
        started = []
        for upload in uploads:
            download, stream = self._start(request, b"POST", upload.name)
            self.send_file(stream, upload)
            started.append(download)
        await asyncio.gather(*(download.finished for download in started))

    def _start(self, request: Request, method: bytes, name: str) -> tuple[Download, int]:
        stream = self._quic.get_next_available_stream_id()
        host = f"[{request.host}]" if ":" in request.host else request.host
        fields = [
            (b":method", method),
            (b":scheme", b"https"),
            (b":authority", f"{host}:{request.port}".encode()),
            (b":path", request.path.encode()),
        ]
        download = Download(self._contract.downloads / name)
        self._downloads[stream] = download
        self.http.send_headers(stream, fields, end_stream=method == b"GET")
        return download, stream

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, StreamReset) and event.stream_id in self._downloads:
            self._downloads.pop(event.stream_id).fail(f"reset with 0x{event.error_code:x}")
        elif isinstance(event, ConnectionTerminated):
            for download in self._downloads.values():
                download.fail(f"closed with 0x{event.error_code:x} {event.reason_phrase}")
        super().quic_event_received(event)

    def http_event_received(self, event: H3Event) -> None:
        if not isinstance(event, HeadersReceived | DataReceived) or event.stream_id not in self._downloads:
            return
        download = self._downloads[event.stream_id]
        if isinstance(event, HeadersReceived):
            code = dict(event.headers).get(b":status", b"200").decode()
            if code != "200":
                download.fail(f"the status is {code}")
        download.receive(event.data if isinstance(event, DataReceived) else b"", event.stream_ended)
        if event.stream_ended:
            del self._downloads[event.stream_id]
