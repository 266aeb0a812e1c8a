"""Error codes by name, and what a server's answer can be."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Scope(enum.Enum):
    # A CONNECTION_CLOSE frame of type 0x1c, one of type 0x1d, and a RESET_STREAM frame.
    TRANSPORT = "transport"
    APPLICATION = "application"
    STREAM = "stream"


@dataclass(frozen=True)
class Error:
    scope: Scope
    code: int

    def __str__(self) -> str:
        name = NAMES.get((self.scope is Scope.TRANSPORT, self.code), f"0x{self.code:x}")
        return f"{name} (stream)" if self.scope is Scope.STREAM else name


def transport(code: int) -> Error:
    return Error(Scope.TRANSPORT, code)


def alert(description: int) -> Error:
    """RFC 9001 section 4.8: a TLS alert is a connection error."""
    return transport(0x100 + description)


def application(code: int) -> Error:
    return Error(Scope.APPLICATION, code)


INTERNAL_ERROR = transport(0x01)
FLOW_CONTROL_ERROR = transport(0x03)
STREAM_LIMIT_ERROR = transport(0x04)
STREAM_STATE_ERROR = transport(0x05)
FRAME_ENCODING_ERROR = transport(0x07)
TRANSPORT_PARAMETER_ERROR = transport(0x08)
PROTOCOL_VIOLATION = transport(0x0A)
UNEXPECTED_MESSAGE = alert(10)
HANDSHAKE_FAILURE = alert(40)
INTERNAL_ALERT = alert(80)
MISSING_EXTENSION = alert(109)
NO_APPLICATION_PROTOCOL = alert(120)

H3_GENERAL_PROTOCOL_ERROR = application(0x101)
H3_INTERNAL_ERROR = application(0x102)
H3_CLOSED_CRITICAL_STREAM = application(0x104)
H3_FRAME_UNEXPECTED = application(0x105)
H3_SETTINGS_ERROR = application(0x109)
H3_MISSING_SETTINGS = application(0x10A)
H3_MESSAGE_ERROR = application(0x10E)
H3_MESSAGE_ERROR_ON_STREAM = Error(Scope.STREAM, H3_MESSAGE_ERROR.code)
QPACK_DECOMPRESSION_FAILED = application(0x200)
QPACK_ENCODER_STREAM_ERROR = application(0x201)
QPACK_DECODER_STREAM_ERROR = application(0x202)

NAMES = {
    (value.scope is Scope.TRANSPORT, value.code): name
    for name, value in list(globals().items())
    if isinstance(value, Error) and value.scope is not Scope.STREAM
}
# RFC 9000 section 11, RFC 9001 section 4.8 and RFC 9114 section 8 let these stand for any other.
GENERIC = {
    Scope.TRANSPORT: frozenset({PROTOCOL_VIOLATION, INTERNAL_ERROR}),
    Scope.APPLICATION: frozenset({H3_GENERAL_PROTOCOL_ERROR, H3_INTERNAL_ERROR}),
    Scope.STREAM: frozenset({Error(Scope.STREAM, 0x101), Error(Scope.STREAM, 0x102)}),
}
GENERIC_ALERTS = frozenset({HANDSHAKE_FAILURE, INTERNAL_ALERT})
FIRST_ALERT = 0x100


def generic_for(expected: Error) -> frozenset[Error]:
    """What may take the place of a specific error, as h3spec has it."""
    if expected.scope is Scope.TRANSPORT and expected.code >= FIRST_ALERT:
        return GENERIC_ALERTS
    return GENERIC[expected.scope]
