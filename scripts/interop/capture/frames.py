"""Frames (RFC 9000 section 19) of a decrypted payload, as names with their integer fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from capture.reader import Reader, Truncated


@dataclass(frozen=True, slots=True)
class Frame:
    name: str
    values: dict[str, int] = field(default_factory=dict)
    data: bytes = b""


# Type: name, then its fields. A plain field is a variable-length integer, `name:8` is that many bytes,
# `name=other` is data as long as the field named, and `name=` is data up to the end.
LAYOUTS: dict[int, str] = {
    0x00: "PADDING",
    0x01: "PING",
    0x04: "RESET_STREAM stream error final_size",
    0x05: "STOP_SENDING stream error",
    0x06: "CRYPTO offset length data=length",
    0x07: "NEW_TOKEN length data=length",
    0x08: "STREAM stream data=",
    0x0A: "STREAM stream length data=length",
    0x0C: "STREAM stream offset data=",
    0x0E: "STREAM stream offset length data=length",
    0x10: "MAX_DATA maximum",
    0x11: "MAX_STREAM_DATA stream maximum",
    0x12: "MAX_STREAMS_BIDI maximum",
    0x13: "MAX_STREAMS_UNI maximum",
    0x14: "DATA_BLOCKED limit",
    0x15: "STREAM_DATA_BLOCKED stream limit",
    0x16: "STREAMS_BLOCKED_BIDI limit",
    0x17: "STREAMS_BLOCKED_UNI limit",
    0x18: "NEW_CONNECTION_ID sequence retire_prior_to length:1 data=length token:16",
    0x19: "RETIRE_CONNECTION_ID sequence",
    0x1A: "PATH_CHALLENGE data:8",
    0x1B: "PATH_RESPONSE data:8",
    0x1C: "CONNECTION_CLOSE error frame_type length data=length",
    0x1D: "CONNECTION_CLOSE_APPLICATION error length data=length",
    0x1E: "HANDSHAKE_DONE",
    0x30: "DATAGRAM data=",
    0x31: "DATAGRAM length data=length",
}
ACK, ACK_ECN = 0x02, 0x03
STREAM_FIN = 0x01


def decode(payload: bytes) -> list[Frame]:
    """All frames of a payload, without the PADDING. Raises ValueError where the payload can't be parsed."""
    frames: list[Frame] = []
    reader = Reader(payload)
    while reader.remaining:
        if payload[reader.position] == 0:
            reader.position += 1
        else:
            frames.append(decode_one(reader))
    return frames


def decode_one(reader: Reader) -> Frame:
    kind = reader.varint()
    if kind in (ACK, ACK_ECN):
        return decode_ack(reader, with_ecn=kind == ACK_ECN)
    is_stream = 0x08 <= kind <= 0x0F
    layout = LAYOUTS.get(kind & ~STREAM_FIN if is_stream else kind)
    if layout is None:
        raise Truncated(f"unknown frame type 0x{kind:x}")
    name, *fields = layout.split()
    values: dict[str, int] = {"fin": kind & STREAM_FIN} if is_stream else {}
    data = b""
    for description in fields:
        key, separator, rest = description.replace("=", ":=").partition(":")
        if separator and key == "data":
            data = take_data(reader, rest, values)
        else:
            values[key] = reader.integer(int(rest)) if separator else reader.varint()
    return Frame(name, values, data)


def take_data(reader: Reader, rest: str, values: dict[str, int]) -> bytes:
    if rest == "=":
        return reader.take(reader.remaining)
    return reader.take(values[rest[1:]] if rest.startswith("=") else int(rest))


def decode_ack(reader: Reader, *, with_ecn: bool) -> Frame:
    values = {"largest": reader.varint(), "delay": reader.varint()}
    ranges = reader.varint()
    values["first_range"] = reader.varint()
    for _ in range(ranges):
        reader.varint()
        reader.varint()
    if with_ecn:
        values |= {"ect0": reader.varint(), "ect1": reader.varint(), "ce": reader.varint()}
    return Frame("ACK_ECN" if with_ecn else "ACK", values)
