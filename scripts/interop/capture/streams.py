"""What went over the streams of a connection, put together from the frames of a trace."""

from __future__ import annotations

from dataclasses import dataclass, field

from capture.connections import Connection
from capture.frames import Frame
from capture.trace import Trace

IS_FROM_SERVER, IS_ONE_WAY = 0x01, 0x02


@dataclass
class Stream:
    """One direction of a stream."""

    identifier: int
    # By offset, each the longest that was sent from there.
    _pieces: dict[int, bytes] = field(default_factory=dict)
    _final_size: int | None = None

    @property
    def is_one_way(self) -> bool:
        return self.identifier & IS_ONE_WAY != 0

    @property
    def is_of_client(self) -> bool:
        """Whether the client opened it."""
        return self.identifier & IS_FROM_SERVER == 0

    def add(self, frame: Frame) -> None:
        offset = frame.values.get("offset", 0)
        if len(frame.data) > len(self._pieces.get(offset, b"")):
            self._pieces[offset] = frame.data
        if frame.values["fin"]:
            self._final_size = offset + len(frame.data)

    def data(self) -> bytes:
        """As far as it goes without a gap."""
        joined = bytearray()
        for offset in sorted(self._pieces):
            if offset > len(joined):
                break
            joined += self._pieces[offset][len(joined) - offset :]
        return bytes(joined)

    def is_whole(self) -> bool:
        return self._final_size is not None and len(self.data()) == self._final_size


@dataclass
class Conversation:
    """All streams of a connection, as one side sent them."""

    connection: Connection
    streams: dict[int, Stream] = field(default_factory=dict)

    def one_way(self) -> list[Stream]:
        return [stream for stream in self.streams.values() if stream.is_one_way]

    def requests(self) -> list[Stream]:
        """The client's bidirectional streams."""
        return [stream for stream in self.streams.values() if stream.is_of_client and not stream.is_one_way]


def conversations(trace: Trace, *, from_server: bool) -> list[Conversation]:
    """Of each connection whose packets could be decrypted, in the order they began."""
    found: dict[int, Conversation] = {}
    for packet in trace.select(from_server=from_server):
        if packet.connection is None:
            continue
        conversation = found.setdefault(id(packet.connection), Conversation(packet.connection))
        for frame in packet.frames_named("STREAM"):
            identifier = frame.values["stream"]
            conversation.streams.setdefault(identifier, Stream(identifier)).add(frame)
    return list(found.values())
