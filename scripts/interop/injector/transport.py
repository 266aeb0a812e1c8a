"""The faults of transport and TLS that h3spec lists (github.com/kazu-yamamoto/h3spec), in its order."""

from __future__ import annotations

from collections.abc import Callable

from aioquic.tls import Epoch, ExtensionType

from injector import errors, wire
from injector.connection import Extensions, FaultyConnection, Parameters, Tampering
from injector.errors import Error
from injector.fault import Fault
from injector.wire import frame, varint

# Of transport parameters: RFC 9000 section 18.2.
ORIGINAL_DESTINATION_CONNECTION_ID, STATELESS_RESET_TOKEN, MAX_UDP_PAYLOAD_SIZE = 0x00, 0x02, 0x03
ACK_DELAY_EXPONENT, MAX_ACK_DELAY, PREFERRED_ADDRESS = 0x0A, 0x0B, 0x0D
INITIAL_SOURCE_CONNECTION_ID, RETRY_SOURCE_CONNECTION_ID = 0x0F, 0x10
# Of the drafts before RFC 9001.
DRAFT_TRANSPORT_PARAMETERS = 0xFFA5

KEY_UPDATE = bytes.fromhex("1800000101")
END_OF_EARLY_DATA = bytes.fromhex("05000000")
EMPTY_ENCRYPTED_EXTENSIONS = bytes.fromhex("080000020000")
SOME_TOKEN = bytes(range(16))
SOME_ID = bytes(range(8))
MOST_STREAMS = 1 << 60
LONG_RESERVED_BITS, SHORT_RESERVED_BITS = 0x0C, 0x18
# No server has opened it, as it is the 26th of its bidirectional streams; and no client may.
SERVER_STREAM_OF_LATER = 101
FIRST_SERVER_STREAM, FIRST_SERVER_STREAM_ONE_WAY, FIRST_CLIENT_STREAM_ONE_WAY = 1, 3, 2


def preferred_address() -> bytes:
    ipv4, ipv6 = bytes([127, 0, 0, 1, 1, 187]), bytes(18)
    return ipv4 + ipv6 + bytes([len(SOME_ID)]) + SOME_ID + SOME_TOKEN


def one_rtt(section: str, name: str, story: str, expected: Error, payload: bytes, *more: Error) -> Fault:
    """These frames in a packet of their own."""

    def send(connection: FaultyConnection) -> bytes:
        return connection.packet(Epoch.ONE_RTT, payload)

    return Fault(name, "transport", section, story, (expected, *more), when_confirmed=send)


def parameter(section: str, name: str, story: str, identifier: int, value: bytes | None) -> Fault:
    """A transport parameter with this value, or without it."""

    def tamper(parameters: Parameters) -> None:
        parameters.pop(identifier, None)
        if value is not None:
            parameters[identifier] = value

    error = errors.TRANSPORT_PARAMETER_ERROR
    return Fault(name, "transport", section, story, (error,), Tampering(parameters=tamper))


def tls(section: str, name: str, story: str, expected: Error, tampering: Tampering) -> Fault:
    return Fault(name, "tls", section, story, (expected,), tampering)


def beyond_the_window(connection: FaultyConnection) -> bytes:
    offset = connection.stream_window
    return connection.packet(Epoch.ONE_RTT, wire.stream(0, offset, b"\x00"))


def beyond_the_limit(connection: FaultyConnection) -> bytes:
    return connection.packet(Epoch.ONE_RTT, wire.stream(4 * connection.stream_limit, 0, b"\x00"))


def handshake_packet(payload: bytes, reserved_bits: int = 0) -> Callable[[FaultyConnection], bytes]:
    return lambda connection: connection.packet(Epoch.HANDSHAKE, payload, reserved_bits)


def limit_faults() -> list[Fault]:
    return [
        Fault(
            "stream-window",
            "transport",
            "RFC 9000 section 4.1",
            "a STREAM frame goes a byte beyond the flow control limit",
            (errors.FLOW_CONTROL_ERROR,),
            when_confirmed=beyond_the_window,
        ),
        Fault(
            "stream-limit",
            "transport",
            "RFC 9000 section 4.6",
            "a stream is the first beyond the limit of streams",
            (errors.STREAM_LIMIT_ERROR,),
            when_confirmed=beyond_the_limit,
        ),
    ]


def parameter_faults() -> list[Fault]:
    roles, bounds = "RFC 9000 section 18.2", "RFC 9000 sections 7.4 and 18.2"
    return [
        parameter(
            "RFC 9000 section 7.3",
            "no-initial-source-connection-id",
            "initial_source_connection_id is missing",
            INITIAL_SOURCE_CONNECTION_ID,
            None,
        ),
        parameter(
            roles,
            "original-destination-connection-id",
            "a client sends original_destination_connection_id",
            ORIGINAL_DESTINATION_CONNECTION_ID,
            SOME_ID,
        ),
        parameter(
            roles,
            "preferred-address",
            "a client sends preferred_address",
            PREFERRED_ADDRESS,
            preferred_address(),
        ),
        parameter(
            roles,
            "retry-source-connection-id",
            "a client sends retry_source_connection_id",
            RETRY_SOURCE_CONNECTION_ID,
            SOME_ID,
        ),
        parameter(
            roles,
            "stateless-reset-token",
            "a client sends stateless_reset_token",
            STATELESS_RESET_TOKEN,
            SOME_TOKEN,
        ),
        parameter(
            bounds,
            "max-udp-payload-size",
            "max_udp_payload_size is less than 1200",
            MAX_UDP_PAYLOAD_SIZE,
            varint(1199),
        ),
        parameter(
            bounds, "ack-delay-exponent", "ack_delay_exponent is over 20", ACK_DELAY_EXPONENT, varint(21)
        ),
        parameter(bounds, "max-ack-delay", "max_ack_delay is 2^14 or more", MAX_ACK_DELAY, varint(1 << 14)),
    ]


def packet_faults() -> list[Fault]:
    violation = (errors.PROTOCOL_VIOLATION,)
    return [
        one_rtt(
            "RFC 9000 section 12.4",
            "unknown-frame",
            "a frame is of an unknown type",
            errors.FRAME_ENCODING_ERROR,
            frame(0x20),
        ),
        one_rtt(
            "RFC 9000 section 12.4",
            "no-frames",
            "a packet has no frames",
            errors.PROTOCOL_VIOLATION,
            b"",
        ),
        Fault(
            "handshake-reserved-bits",
            "transport",
            "RFC 9000 section 17.2",
            "the reserved bits of a Handshake packet are not zero",
            violation,
            in_handshake=handshake_packet(frame(wire.PING) + bytes(3), LONG_RESERVED_BITS),
        ),
        Fault(
            "handshake-path-challenge",
            "transport",
            "RFC 9000 section 17.2.4",
            "a Handshake packet has PATH_CHALLENGE",
            violation,
            in_handshake=handshake_packet(frame(wire.PATH_CHALLENGE, SOME_ID)),
        ),
        Fault(
            "short-reserved-bits",
            "transport",
            "RFC 9000 section 17.3.1",
            "the reserved bits of a 1-RTT packet are not zero",
            violation,
            when_confirmed=lambda connection: connection.packet(
                Epoch.ONE_RTT, frame(wire.PING) + bytes(3), SHORT_RESERVED_BITS
            ),
        ),
    ]


def stream_faults() -> list[Fault]:
    state = errors.STREAM_STATE_ERROR
    return [
        one_rtt(
            "RFC 9000 section 19.4",
            "reset-of-send-only-stream",
            "RESET_STREAM is for a stream that only the server sends on",
            state,
            frame(wire.RESET_STREAM, FIRST_SERVER_STREAM_ONE_WAY, 0, 0),
        ),
        one_rtt(
            "RFC 9000 section 19.5",
            "stop-of-no-stream",
            "STOP_SENDING is for a stream that the server has not opened",
            state,
            frame(wire.STOP_SENDING, SERVER_STREAM_OF_LATER, 0),
        ),
        one_rtt(
            "RFC 9000 section 19.7",
            "new-token",
            "a client sends NEW_TOKEN",
            errors.PROTOCOL_VIOLATION,
            frame(wire.NEW_TOKEN, len(SOME_TOKEN), SOME_TOKEN),
        ),
        one_rtt(
            "RFC 9000 section 19.8",
            "data-on-no-stream",
            "STREAM is for a stream that the server has not opened",
            state,
            wire.stream(FIRST_SERVER_STREAM, 0, b"\x00"),
        ),
        one_rtt(
            "RFC 9000 section 19.8",
            "data-on-send-only-stream",
            "STREAM is for a stream that only the server sends on",
            state,
            wire.stream(FIRST_SERVER_STREAM_ONE_WAY, 0, b"\x00"),
        ),
        one_rtt(
            "RFC 9000 section 19.10",
            "credit-for-no-stream",
            "MAX_STREAM_DATA is for a stream that the server has not opened",
            state,
            frame(wire.MAX_STREAM_DATA, SERVER_STREAM_OF_LATER, 1_000_000),
        ),
        one_rtt(
            "RFC 9000 section 19.10",
            "credit-for-receive-only-stream",
            "MAX_STREAM_DATA is for a stream that the server only receives on",
            state,
            frame(wire.MAX_STREAM_DATA, FIRST_CLIENT_STREAM_ONE_WAY, 1_000_000),
        ),
    ]


def frame_faults() -> list[Fault]:
    encoding = errors.FRAME_ENCODING_ERROR
    return [
        one_rtt(
            "RFC 9000 section 19.11",
            "max-streams",
            "MAX_STREAMS is over 2^60",
            encoding,
            frame(wire.MAX_STREAMS_BIDI, MOST_STREAMS + 1),
        ),
        one_rtt(
            "RFC 9000 section 19.14",
            "streams-blocked",
            "STREAMS_BLOCKED is over 2^60",
            encoding,
            frame(wire.STREAMS_BLOCKED_BIDI, MOST_STREAMS + 1),
            errors.STREAM_LIMIT_ERROR,
        ),
        one_rtt(
            "RFC 9000 section 19.15",
            "retire-prior-to",
            "NEW_CONNECTION_ID retires itself",
            encoding,
            frame(wire.NEW_CONNECTION_ID, 20, 21, bytes([len(SOME_ID)]), SOME_ID, SOME_TOKEN),
        ),
        one_rtt(
            "RFC 9000 section 19.15",
            "empty-connection-id",
            "NEW_CONNECTION_ID has an id of no bytes",
            encoding,
            frame(wire.NEW_CONNECTION_ID, 20, 0, bytes([0]), SOME_TOKEN),
        ),
        one_rtt(
            "RFC 9000 section 19.20",
            "handshake-done",
            "a client sends HANDSHAKE_DONE",
            errors.PROTOCOL_VIOLATION,
            frame(wire.HANDSHAKE_DONE),
        ),
    ]


def before_finished(message: bytes) -> Callable[[Epoch, bytes], bytes]:
    # Behind Finished it would also be data of a level that is over, which is a PROTOCOL_VIOLATION
    # (RFC 9001 section 4.1.3).
    return lambda epoch, messages: message + messages if epoch is Epoch.HANDSHAKE and messages else messages


def without_parameters(extensions: Extensions) -> Extensions:
    return [entry for entry in extensions if entry[0] != ExtensionType.QUIC_TRANSPORT_PARAMETERS]


def with_draft_parameters(extensions: Extensions) -> Extensions:
    return [(DRAFT_TRANSPORT_PARAMETERS, value) for _, value in extensions]


def key_update_message(connection: FaultyConnection) -> bytes:
    return connection.packet(Epoch.ONE_RTT, wire.crypto(KEY_UPDATE))


def crypto_in_early_data(connection: FaultyConnection) -> bytes:
    return connection.packet(Epoch.ZERO_RTT, wire.crypto(EMPTY_ENCRYPTED_EXTENSIONS))


def tls_faults() -> list[Fault]:
    unexpected, missing = errors.UNEXPECTED_MESSAGE, errors.MISSING_EXTENSION
    return [
        tls(
            "RFC 9001 section 6",
            "key-update-in-handshake",
            "a TLS KeyUpdate comes before Finished",
            unexpected,
            Tampering(messages=before_finished(KEY_UPDATE)),
        ),
        Fault(
            "key-update-in-1rtt",
            "tls",
            "RFC 9001 section 6",
            "a 1-RTT packet has a TLS KeyUpdate",
            (unexpected,),
            when_confirmed=key_update_message,
        ),
        Fault(
            "no-common-protocol",
            "tls",
            "RFC 9001 section 8.1",
            "no application protocol is supported",
            (errors.NO_APPLICATION_PROTOCOL,),
            protocol="nobody-knows",
        ),
        tls(
            "RFC 9001 section 8.2",
            "no-transport-parameters",
            "quic_transport_parameters is missing",
            missing,
            Tampering(extensions=without_parameters),
        ),
        tls(
            "RFC 9001 section 8.2",
            "draft-transport-parameters",
            "quic_transport_parameters has the number that drafts used",
            missing,
            Tampering(extensions=with_draft_parameters),
        ),
        tls(
            "RFC 9001 section 8.3",
            "end-of-early-data",
            "EndOfEarlyData is before Finished",
            unexpected,
            Tampering(messages=before_finished(END_OF_EARLY_DATA)),
        ),
        Fault(
            "crypto-in-early-data",
            "tls",
            "RFC 9001 section 8.3",
            "a 0-RTT packet has CRYPTO",
            (errors.PROTOCOL_VIOLATION,),
            with_early_data=crypto_in_early_data,
        ),
    ]


TRANSPORT_FAULTS = [
    *limit_faults(),
    *parameter_faults(),
    *packet_faults(),
    *stream_faults(),
    *frame_faults(),
    *tls_faults(),
]
