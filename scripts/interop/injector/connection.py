"""aioquic's client connection, with ways to send what it never would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aioquic._buffer import Buffer
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import QuicEvent, StreamReset
from aioquic.quic.packet import QuicFrameType
from aioquic.tls import Epoch

from capture.reader import Reader
from injector.errors import Error, Scope
from injector.wire import LONG_TYPES, varint

Parameters = dict[int, bytes]
Extensions = list[tuple[int, bytes]]
NUMBER_LENGTH = 4
TAG_LENGTH = 16


@dataclass(frozen=True)
class Tampering:
    """What is changed in the handshake."""

    parameters: Callable[[Parameters], None] = lambda parameters: None
    extensions: Callable[[Extensions], Extensions] = lambda extensions: extensions
    # The TLS messages of a level, as they are handed to CRYPTO frames.
    messages: Callable[[Epoch, bytes], bytes] = lambda epoch, messages: messages


class FaultyConnection(QuicConnection):
    def __init__(self, *, configuration: QuicConfiguration, tampering: Tampering, **rest: Any) -> None:
        super().__init__(configuration=configuration, **rest)
        self._tampering = tampering
        self.answer: Error | None = None
        self.reason = ""

    @property
    def is_confirmed(self) -> bool:
        return self._handshake_confirmed

    @property
    def can_send_handshake(self) -> bool:
        crypto = self._cryptos.get(Epoch.HANDSHAKE)
        return crypto is not None and crypto.send.is_valid()

    @property
    def can_send_early(self) -> bool:
        return self._cryptos[Epoch.ZERO_RTT].send.is_valid()

    @property
    def stream_window(self) -> int:
        """How much the server takes on a stream that this side opens."""
        return min(self._remote_max_data, self._remote_max_stream_data_bidi_remote)

    @property
    def stream_limit(self) -> int:
        """How many bidirectional streams the server lets this side open."""
        return self._remote_max_streams_bidi

    def packet(self, epoch: Epoch, payload: bytes, reserved_bits: int = 0) -> bytes:
        """A packet with these frames, protected as the peer expects it."""
        number = self._packet_number
        self._packet_number += 1
        header = self._header(epoch, len(payload), reserved_bits) + number.to_bytes(NUMBER_LENGTH, "big")
        return self._cryptos[epoch].encrypt_packet(header, payload, number)

    def note(self, event: QuicEvent) -> None:
        if isinstance(event, StreamReset) and self.answer is None:
            self.answer = Error(Scope.STREAM, event.error_code)

    def _header(self, epoch: Epoch, length: int, reserved_bits: int) -> bytes:
        if epoch is Epoch.ONE_RTT:
            first = 0x40 | self._cryptos[epoch].key_phase << 2 | reserved_bits | (NUMBER_LENGTH - 1)
            return bytes([first]) + self._peer_cid.cid
        assert self._version is not None
        first = 0xC0 | LONG_TYPES[epoch] << 4 | reserved_bits | (NUMBER_LENGTH - 1)
        header = bytes([first]) + self._version.to_bytes(4, "big")
        for identifier in (self._peer_cid.cid, self.host_cid):
            header += bytes([len(identifier)]) + identifier
        return header + varint(length + NUMBER_LENGTH + TAG_LENGTH)

    def _initialize(self, peer_cid: bytes) -> None:
        super()._initialize(peer_cid)
        self.tls.handshake_extensions = self._tampering.extensions(self.tls.handshake_extensions)

    def _serialize_transport_parameters(self) -> bytes:
        parameters: Parameters = {}
        reader = Reader(super()._serialize_transport_parameters())
        while reader.remaining:
            identifier = reader.varint()
            parameters[identifier] = reader.take(reader.varint())
        self._tampering.parameters(parameters)
        return b"".join(varint(key) + varint(len(value)) + value for key, value in parameters.items())

    def _push_crypto_data(self) -> None:
        for epoch, buffer in self._crypto_buffers.items():
            self._crypto_streams[epoch].sender.write(self._tampering.messages(epoch, buffer.data))
            buffer.seek(0)

    def _handle_connection_close_frame(self, context: Any, frame_type: int, buf: Buffer) -> None:
        super()._handle_connection_close_frame(context, frame_type, buf)
        event = self._close_event
        if event is not None and self.answer is None:
            is_transport = frame_type == QuicFrameType.TRANSPORT_CLOSE
            scope = Scope.TRANSPORT if is_transport else Scope.APPLICATION
            self.answer, self.reason = Error(scope, event.error_code), event.reason_phrase
