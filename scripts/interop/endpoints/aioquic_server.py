"""A server for `hq-interop` (HTTP/0.9 over QUIC) and HTTP/3 on aioquic."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import QuicEvent, StreamDataReceived
from aioquic.tls import SessionTicket

from endpoints import contract as contracts
from endpoints.aioquic_common import configuration
from endpoints.aioquic_http3 import HTTP3Server
from endpoints.aioquic_preferred import PreferredDoor, TwoDoors, advertise_preferred_address
from endpoints.contract import EXIT_UNSUPPORTED, HTTP3, Contract

# Cases that aioquic can't pass are served all the same: the checks show what is missing.
KNOWN = frozenset(
    (
        "handshake transfer chacha20 retry resumption zerortt multiconnect ecn v2 connectionmigration http3"
        " http3-files"
    ).split()
)
LONGEST_REQUEST = 4096
FILE_NOT_FOUND = 404


class HqServer(QuicConnectionProtocol):
    def __init__(self, quic: QuicConnection, contract: Contract) -> None:
        super().__init__(quic)
        self._www = contract.www
        self._requests: dict[int, bytes] = {}

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, StreamDataReceived):
            request = self._requests.pop(event.stream_id, b"") + event.data
            if event.end_stream or request.endswith(b"\r\n"):
                self._respond(event.stream_id, request)
            elif len(request) <= LONGEST_REQUEST:
                self._requests[event.stream_id] = request

    def _respond(self, stream: int, request: bytes) -> None:
        file = self._file(request.decode(errors="replace").strip())
        if file is None:
            self._quic.reset_stream(stream, FILE_NOT_FOUND)
        else:
            self._quic.send_stream_data(stream, file.read_bytes(), end_stream=True)

    def _file(self, request: str) -> Path | None:
        method, _, path = request.partition(" ")
        file = (self._www / path.lstrip("/")).resolve()
        inside = file.is_relative_to(self._www.resolve())
        return file if method == "GET" and inside and file.is_file() else None


def server_configuration(contract: Contract) -> QuicConfiguration:
    settings = configuration(contract, is_client=False)
    settings.load_cert_chain(contract.certificates / "cert.pem", contract.certificates / "priv.key")
    return settings


def make_protocol(quic: QuicConnection, contract: Contract) -> QuicConnectionProtocol:
    if contract.test_case == "connectionmigration":
        advertise_preferred_address(quic, contract)
    if contract.protocol == HTTP3:
        return HTTP3Server(quic, contract.www)
    return HqServer(quic, contract)


def make_server(contract: Contract) -> QuicServer:
    tickets: dict[bytes, SessionTicket] = {}
    return QuicServer(
        configuration=server_configuration(contract),
        create_protocol=lambda quic, stream_handler: make_protocol(quic, contract),
        session_ticket_fetcher=tickets.get,
        session_ticket_handler=lambda ticket: tickets.__setitem__(ticket.ticket, ticket),
        retry=contract.test_case == "retry",
    )


async def serve(contract: Contract) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    transport, server = await loop.create_datagram_endpoint(
        lambda: make_server(contract), local_addr=contract.listen
    )
    if contract.test_case == "connectionmigration" and contract.preferred_listen:
        preferred, _ = await loop.create_datagram_endpoint(
            lambda: PreferredDoor(server), local_addr=contract.preferred_listen
        )
        server.connection_made(TwoDoors(transport, preferred))
    # Connections are not closed one by one: aioquic has one for each damaged Initial packet, too, which it
    # took for a new client, and would send Initial packets for it.
    await stopped.wait()


def main() -> int:
    contract = contracts.from_environment()
    if contract.test_case not in KNOWN:
        return EXIT_UNSUPPORTED
    asyncio.run(serve(contract))
    return 0


if __name__ == "__main__":
    sys.exit(main())
