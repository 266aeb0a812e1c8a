"""A client for `hq-interop` (HTTP/0.9 over QUIC) and HTTP/3 on aioquic."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StreamDataReceived, StreamReset
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import SessionTicket

from endpoints import contract as contracts
from endpoints.aioquic_common import configuration
from endpoints.aioquic_http3 import HTTP3Client
from endpoints.contract import EXIT_UNSUPPORTED, HTTP3, Contract, Request
from endpoints.downloads import Download

# Cases that aioquic can't pass are run all the same: the checks show what is missing.
KNOWN = frozenset(
    (
        "handshake transfer chacha20 retry resumption zerortt multiconnect keyupdate ecn v2 http3"
        " http3-files http3-post"
    ).split()
)
# Of the connections of `multiconnect`.
CONNECTIONS_AT_ONCE = 10
TicketHandler = Callable[[SessionTicket], None]


class HqClient(QuicConnectionProtocol):
    def __init__(self, quic: QuicConnection, downloads: Path) -> None:
        super().__init__(quic)
        self._folder = downloads
        self._downloads: dict[int, Download] = {}

    async def fetch(self, requests: list[Request]) -> None:
        started = [self._start(request) for request in requests]
        self.transmit()
        await asyncio.gather(*(download.finished for download in started))

    def _start(self, request: Request) -> Download:
        stream = self._quic.get_next_available_stream_id()
        download = Download(self._folder / request.file_name)
        self._downloads[stream] = download
        self._quic.send_stream_data(stream, f"GET {request.path}\r\n".encode(), end_stream=True)
        return download

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, StreamDataReceived) and event.stream_id in self._downloads:
            self._downloads[event.stream_id].receive(event.data, event.end_stream)
            if event.end_stream:
                del self._downloads[event.stream_id]
        elif isinstance(event, StreamReset) and event.stream_id in self._downloads:
            self._downloads.pop(event.stream_id).fail(f"reset with {event.error_code}")
        elif isinstance(event, ConnectionTerminated):
            for download in self._downloads.values():
                download.fail(f"closed with 0x{event.error_code:x} {event.reason_phrase}")


def make_client(quic: QuicConnection, contract: Contract) -> HqClient | HTTP3Client:
    return HTTP3Client(quic, contract) if contract.protocol == HTTP3 else HqClient(quic, contract.downloads)


@asynccontextmanager
async def connection(
    contract: Contract,
    settings: QuicConfiguration,
    *,
    on_ticket: TicketHandler | None = None,
    wait: bool = True,
) -> AsyncIterator[HqClient | HTTP3Client]:
    first = contract.requests[0]
    loop = asyncio.get_running_loop()
    family, _, _, _, address = (await loop.getaddrinfo(first.host, first.port, type=socket.SOCK_DGRAM))[0]
    settings.server_name = first.host
    transport, client = await loop.create_datagram_endpoint(
        lambda: make_client(
            QuicConnection(configuration=settings, session_ticket_handler=on_ticket), contract
        ),
        local_addr=("::" if family == socket.AF_INET6 else "0.0.0.0", 0),
    )
    try:
        client.connect(address, transmit=wait)
        if wait:
            await client.wait_connected()
        yield client
    finally:
        client.close()
        client.transmit()
        transport.close()


async def fetch_over_one(contract: Contract, settings: QuicConfiguration) -> None:
    async with connection(contract, settings) as client:
        if contract.test_case == "keyupdate":
            client.request_key_update()
        await client.fetch(contract.requests)


async def post(contract: Contract, settings: QuicConfiguration) -> None:
    assert contract.uploads
    async with connection(contract, settings) as client:
        assert isinstance(client, HTTP3Client)
        await client.post(contract.requests[0], sorted(contract.uploads.iterdir()))


async def fetch_over_two(contract: Contract, settings: QuicConfiguration) -> None:
    """The first file over a full handshake, the others over a resumed one."""
    tickets: asyncio.Queue[SessionTicket] = asyncio.Queue()
    async with connection(contract, settings, on_ticket=tickets.put_nowait) as client:
        await client.fetch(contract.requests[:1])
        settings.session_ticket = await tickets.get()
    async with connection(contract, settings, wait=contract.test_case != "zerortt") as client:
        await client.fetch(contract.requests[1:])


async def fetch_over_many(contract: Contract) -> None:
    places = asyncio.Semaphore(CONNECTIONS_AT_ONCE)

    async def fetch_one(request: Request) -> None:
        async with places, connection(contract, client_configuration(contract)) as client:
            await client.fetch([request])

    await asyncio.gather(*(fetch_one(request) for request in contract.requests))


def client_configuration(contract: Contract) -> QuicConfiguration:
    settings = configuration(contract, is_client=True)
    settings.load_verify_locations(str(contract.certificates / "ca.pem"))
    if contract.test_case == "v2":
        settings.original_version = QuicProtocolVersion.VERSION_1
    return settings


async def run(contract: Contract) -> None:
    if contract.test_case == "http3-post":
        await post(contract, client_configuration(contract))
    elif contract.test_case == "multiconnect":
        await fetch_over_many(contract)
    elif contract.test_case in ("resumption", "zerortt"):
        await fetch_over_two(contract, client_configuration(contract))
    else:
        await fetch_over_one(contract, client_configuration(contract))


def main() -> int:
    contract = contracts.from_environment()
    if contract.test_case not in KNOWN:
        return EXIT_UNSUPPORTED
    try:
        asyncio.run(run(contract))
    except ConnectionError as error:
        print(f"aioquic client: {str(error) or 'closed before the handshake was complete'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
