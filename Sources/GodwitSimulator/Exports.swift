// What a user of the simulator meets in its API, so that one import is enough.
@_exported public import class GodwitCore.Connection
@_exported public import enum GodwitCore.ConnectionCloseReason
@_exported public import enum GodwitCore.ConnectionEvent
@_exported public import struct GodwitCore.ConnectionHandle
@_exported public import enum GodwitCore.StreamError
@_exported public import enum GodwitCore.StreamEvent
@_exported public import struct GodwitCore.TransportConfiguration
@_exported public import enum GodwitWire.ECNCodepoint
@_exported public import struct GodwitWire.IPAddress
@_exported public import struct GodwitWire.Instant
@_exported public import struct GodwitWire.NetworkAddress
@_exported public import struct GodwitWire.StreamID
@_exported public import struct GodwitWire.TimeSpan
