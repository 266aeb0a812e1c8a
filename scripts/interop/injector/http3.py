"""The faults of HTTP/3 and QPACK that h3spec lists, in its order."""

from __future__ import annotations

from functools import partial

import pylsqpack

from injector import errors, wire
from injector.connection import FaultyConnection
from injector.errors import Error
from injector.fault import Action, Fault
from injector.session import SERVER_NAME
from injector.wire import http3_frame, settings

Fields = list[tuple[str, str]]

REQUEST_STREAM, CONTROL_STREAM, ENCODER_STREAM, DECODER_STREAM = 0, 2, 6, 10
CONTROL_TYPE, ENCODER_TYPE, DECODER_TYPE = b"\x00", b"\x02", b"\x03"
QPACK_MAX_TABLE_CAPACITY, MAX_FIELD_SECTION_SIZE, QPACK_BLOCKED_STREAMS = 0x01, 0x06, 0x07
# RFC 9114 section 7.2.4.1: SETTINGS_ENABLE_PUSH of HTTP/2.
HTTP2_ENABLE_PUSH = 0x02
OUR_SETTINGS = settings((QPACK_MAX_TABLE_CAPACITY, 4096), (QPACK_BLOCKED_STREAMS, 16))
# RFC 9204 section 4.5.2: an indexed field line with the static table's index 99, the first there is not.
BEYOND_STATIC_TABLE = bytes.fromhex("ff24")
# RFC 9204 section 4.3.1: Set Dynamic Table Capacity to 10^10.
LARGE_CAPACITY = bytes.fromhex("3fe1c7afa025")
# RFC 9204 section 4.4.3: an Insert Count Increment of 0.
NO_INCREMENT = bytes([0])

GET: Fields = [
    (":method", "GET"),
    (":scheme", "https"),
    (":authority", SERVER_NAME),
    (":path", "/"),
]


def field_section(fields: Fields) -> bytes:
    """Without the dynamic table, so that nothing has to go over the encoder stream."""
    encoded = [(name.encode(), value.encode()) for name, value in fields]
    _, section = pylsqpack.Encoder().encode(REQUEST_STREAM, encoded)
    return bytes(section)


def headers(fields: Fields) -> bytes:
    return http3_frame(wire.HEADERS, field_section(fields))


def open_streams(
    connection: FaultyConnection,
    *,
    control: bytes = OUR_SETTINGS,
    ends_control: bool = False,
    encoder: bytes = b"",
    decoder: bytes = b"",
    request: bytes = b"",
) -> None:
    """What a client sends first of all, with a fault in one of its streams."""
    connection.send_stream_data(CONTROL_STREAM, CONTROL_TYPE + control, end_stream=ends_control)
    connection.send_stream_data(ENCODER_STREAM, ENCODER_TYPE + encoder)
    connection.send_stream_data(DECODER_STREAM, DECODER_TYPE + decoder)
    if request:
        connection.send_stream_data(REQUEST_STREAM, request, end_stream=True)


def request(content: bytes) -> Action:
    return partial(open_streams, request=content)


def control(content: bytes) -> Action:
    return partial(open_streams, control=content)


def http3(section: str, name: str, story: str, expected: Error, action: Action) -> Fault:
    return Fault(name, "http3", f"RFC 9114 {section}", story, (expected,), when_confirmed=action)


def qpack(section: str, name: str, story: str, expected: Error, action: Action) -> Fault:
    return Fault(name, "qpack", f"RFC 9204 {section}", story, (expected,), when_confirmed=action)


def malformed(section: str, name: str, story: str, fields: Fields) -> Fault:
    # RFC 9114 section 4.1.2: an error of the stream, which may be made one of the connection.
    expected = (errors.H3_MESSAGE_ERROR_ON_STREAM, errors.H3_MESSAGE_ERROR)
    action = request(headers(fields))
    return Fault(name, "http3", f"RFC 9114 {section}", story, expected, when_confirmed=action)


def request_faults() -> list[Fault]:
    return [
        http3(
            "section 4.1",
            "data-before-headers",
            "DATA comes before HEADERS",
            errors.H3_FRAME_UNEXPECTED,
            request(http3_frame(wire.DATA) + headers(GET)),
        ),
        malformed("section 4.1.2", "repeated-pseudo-header", "a pseudo-header is repeated", [*GET, GET[0]]),
        malformed(
            "section 4.3.1",
            "missing-pseudo-header",
            "mandatory pseudo-headers are missing",
            [field for field in GET if field[0] != ":authority"],
        ),
        malformed(
            "section 4.3", "unknown-pseudo-header", "a pseudo-header is unknown", [*GET, (":foo", "bar")]
        ),
        malformed(
            "section 4.3",
            "late-pseudo-header",
            "a pseudo-header comes after a field",
            [*GET[:3], ("foo", "bar"), GET[3]],
        ),
    ]


def control_faults() -> list[Fault]:
    unexpected = errors.H3_FRAME_UNEXPECTED
    table = (QPACK_MAX_TABLE_CAPACITY, 4096)
    return [
        http3(
            "section 6.2.1",
            "no-settings",
            "the first frame on the control stream is not SETTINGS",
            errors.H3_MISSING_SETTINGS,
            control(http3_frame(wire.MAX_PUSH_ID, b"\x01") + OUR_SETTINGS),
        ),
        http3(
            "section 7.2.1",
            "data-on-control-stream",
            "the control stream has DATA",
            unexpected,
            control(OUR_SETTINGS + http3_frame(wire.DATA)),
        ),
        http3(
            "section 7.2.2",
            "headers-on-control-stream",
            "the control stream has HEADERS",
            unexpected,
            control(OUR_SETTINGS + http3_frame(wire.HEADERS)),
        ),
        http3(
            "section 7.2.4",
            "second-settings",
            "there are two SETTINGS frames",
            unexpected,
            control(OUR_SETTINGS + settings()),
        ),
        # A server MAY refuse this; h3spec lists it without running it.
        http3(
            "section 7.2.4",
            "repeated-setting",
            "SETTINGS names a setting twice",
            errors.H3_SETTINGS_ERROR,
            control(settings(table, (MAX_FIELD_SECTION_SIZE, 32768), table)),
        ),
        http3(
            "section 7.2.4.1",
            "http2-setting",
            "SETTINGS has one of HTTP/2",
            errors.H3_SETTINGS_ERROR,
            control(settings(table, (HTTP2_ENABLE_PUSH, 1))),
        ),
        http3(
            "section 7.2.3",
            "cancel-push-on-request",
            "a request stream has CANCEL_PUSH",
            unexpected,
            request(http3_frame(wire.CANCEL_PUSH, b"\x00") + headers(GET)),
        ),
    ]


def qpack_faults() -> list[Fault]:
    lines = field_section(GET) + BEYOND_STATIC_TABLE
    return [
        qpack(
            "section 3.1",
            "static-index",
            "a field line has an index beyond the static table",
            errors.QPACK_DECOMPRESSION_FAILED,
            request(http3_frame(wire.HEADERS, lines)),
        ),
        qpack(
            "section 4.1.3",
            "table-capacity",
            "the encoder sets a capacity over the limit",
            errors.QPACK_ENCODER_STREAM_ERROR,
            partial(open_streams, encoder=LARGE_CAPACITY),
        ),
        qpack(
            "section 4.2",
            "closed-control-stream",
            "the control stream is closed",
            errors.H3_CLOSED_CRITICAL_STREAM,
            partial(open_streams, ends_control=True),
        ),
        qpack(
            "section 4.4.3",
            "insert-count-increment",
            "an Insert Count Increment is zero",
            errors.QPACK_DECODER_STREAM_ERROR,
            partial(open_streams, decoder=NO_INCREMENT),
        ),
    ]


HTTP3_FAULTS = [*request_faults(), *control_faults(), *qpack_faults()]
