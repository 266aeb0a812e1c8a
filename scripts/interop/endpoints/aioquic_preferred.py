"""A preferred address (RFC 9000 section 9.6) for servers on aioquic, which itself only has the client's half.

aioquic tells paths apart by the peer's address alone. Datagrams of the second socket get a mark in that
address, so that they count as another path, and what leaves by that path finds its way to the second socket.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from aioquic._buffer import Buffer
from aioquic.asyncio.server import QuicServer
from aioquic.quic.connection import QuicConnection, QuicConnectionId
from aioquic.quic.events import ConnectionIdIssued
from aioquic.quic.packet import (
    QuicPreferredAddress,
    pull_quic_transport_parameters,
    push_quic_transport_parameters,
)

from endpoints.contract import Contract

MARK = "preferred"
LARGEST_PARAMETERS = 2048
# RFC 9000 section 5.1.1: the connection ID of the preferred address has this number.
SEQUENCE_NUMBER = 1


class PreferredDoor(asyncio.DatagramProtocol):
    def __init__(self, server: QuicServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._server.datagram_received(data, (*addr, MARK))


class TwoDoors(asyncio.DatagramTransport):
    """Stands for both sockets where aioquic expects one transport."""

    def __init__(self, first: asyncio.DatagramTransport, preferred: asyncio.DatagramTransport) -> None:
        super().__init__()
        self._first = first
        self._preferred = preferred

    def sendto(self, data: Any, addr: Any = None) -> None:
        if addr and addr[-1] == MARK:
            self._preferred.sendto(data, addr[:-1])
        else:
            self._first.sendto(data, addr)

    def close(self) -> None:
        self._first.close()
        self._preferred.close()


def advertise_preferred_address(quic: QuicConnection, contract: Contract) -> None:
    """Adds the transport parameter to what the connection will send, and its connection ID."""
    identifier = QuicConnectionId(
        cid=os.urandom(quic.configuration.connection_id_length),
        sequence_number=SEQUENCE_NUMBER,
        stateless_reset_token=os.urandom(16),
        was_sent=True,
    )
    quic._host_cids.append(identifier)
    quic._host_cid_seq = SEQUENCE_NUMBER + 1
    quic._events.append(ConnectionIdIssued(connection_id=identifier.cid))
    serialize = quic._serialize_transport_parameters
    # Shadows the method of this one connection.
    replacement = partial(extended_parameters, serialize, identifier, contract)
    vars(quic)[serialize.__name__] = replacement


def extended_parameters(
    serialize: Callable[[], bytes], identifier: QuicConnectionId, contract: Contract
) -> bytes:
    return with_preferred_address(serialize(), identifier, contract)


def with_preferred_address(encoded: bytes, identifier: QuicConnectionId, contract: Contract) -> bytes:
    parameters = pull_quic_transport_parameters(Buffer(data=encoded))
    address = contract.preferred_address
    is_ipv6 = address is not None and ":" in address[0]
    parameters.preferred_address = QuicPreferredAddress(
        ipv4_address=None if is_ipv6 else address,
        ipv6_address=address if is_ipv6 else None,
        connection_id=identifier.cid,
        stateless_reset_token=identifier.stateless_reset_token,
    )
    buffer = Buffer(capacity=LARGEST_PARAMETERS)
    push_quic_transport_parameters(buffer, parameters)
    return buffer.data
