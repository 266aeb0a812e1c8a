"""Carries a fault to a server, and waits for its answer."""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import StreamDataReceived
from aioquic.tls import SessionTicket

from capture.pcap import Address
from injector.connection import FaultyConnection, Tampering
from injector.fault import Action, Fault, Observation

LARGEST_DATAGRAM = 65536
SERVER_NAME = "localhost"


@dataclass(frozen=True)
class Target:
    address: Address
    protocol: str
    # How long the server may take to answer.
    patience: float


class Session:
    """One connection, driven until the server has answered or its time is up."""

    def __init__(self, target: Target, fault: Fault | None, ticket: SessionTicket | None = None) -> None:
        self.tickets: list[SessionTicket] = []
        self.got_data = False
        self._target = target
        self._fault = fault
        self._connection = FaultyConnection(
            configuration=configuration(target, fault, ticket),
            tampering=fault.tampering if fault else Tampering(),
            session_ticket_handler=self.tickets.append,
        )
        family = socket.AF_INET6 if ":" in target.address[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._peer = socket.getaddrinfo(*target.address, family, socket.SOCK_DGRAM)[0][4]
        # Those still to be done.
        self._in_handshake = fault and fault.in_handshake
        self._when_confirmed = fault and fault.when_confirmed

    def run(self) -> FaultyConnection:
        """Without a fault, it ends when there is a ticket."""
        deadline = time.monotonic() + self._target.patience
        with self._socket:
            self._connection.connect(self._peer, now=time.time())
            self._flush()
            if self._fault and self._fault.with_early_data:
                self._act(self._fault.with_early_data)
            while time.monotonic() < deadline and not self._is_over:
                self._step()
            self._connection.close()
            self._flush()
        return self._connection

    @property
    def _is_over(self) -> bool:
        return self._connection.answer is not None or (self._fault is None and bool(self.tickets))

    def _step(self) -> None:
        self._receive()
        connection = self._connection
        if self._in_handshake and connection.can_send_handshake:
            action, self._in_handshake = self._in_handshake, None
            self._act(action)
        if self._when_confirmed and connection.is_confirmed:
            action, self._when_confirmed = self._when_confirmed, None
            self._act(action)
        self._flush()

    def _receive(self) -> None:
        now = time.time()
        timer = self._connection.get_timer()
        self._socket.settimeout(min(0.1, max(0.001, (timer or now + 1) - now)))
        try:
            data = self._socket.recv(LARGEST_DATAGRAM)
        except TimeoutError:
            if timer is not None and time.time() >= timer:
                self._connection.handle_timer(time.time())
        except ConnectionRefusedError:
            # Nothing listens there, or no longer. The deadline ends it.
            time.sleep(0.05)
        else:
            self._connection.receive_datagram(data, self._peer, time.time())
        while (event := self._connection.next_event()) is not None:
            self._connection.note(event)
            self.got_data |= isinstance(event, StreamDataReceived) and event.stream_id == 0

    def _act(self, action: Action) -> None:
        datagram = action(self._connection)
        if datagram is not None:
            self._socket.sendto(datagram, self._peer)

    def _flush(self) -> None:
        for data, _ in self._connection.datagrams_to_send(now=time.time()):
            self._socket.sendto(data, self._peer)


def configuration(target: Target, fault: Fault | None, ticket: SessionTicket | None) -> QuicConfiguration:
    protocol = fault.protocol if fault and fault.protocol else target.protocol
    return QuicConfiguration(
        is_client=True,
        alpn_protocols=[protocol],
        server_name=SERVER_NAME,
        session_ticket=ticket,
        verify_mode=ssl.CERT_NONE,
    )


def observe(target: Target, fault: Fault) -> Observation:
    started = time.monotonic()
    ticket = None
    if fault.with_early_data:
        ticket = early_data_ticket(target)
        if ticket is None:
            return Observation(fault, None, "the server offers no early data", time.monotonic() - started)
    session = Session(target, fault, ticket)
    connection = session.run()
    detail = connection.reason if connection.answer else silence(session, connection)
    return Observation(fault, connection.answer, detail, time.monotonic() - started)


def silence(session: Session, connection: FaultyConnection) -> str:
    if session.got_data:
        return "a response instead of an error"
    return "no error" if connection.is_confirmed else "no error, and no handshake"


def early_data_ticket(target: Target) -> SessionTicket | None:
    session = Session(target, None)
    session.run()
    usable = [ticket for ticket in session.tickets if ticket.max_early_data_size]
    return usable[0] if usable else None
