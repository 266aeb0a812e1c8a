// The whole of the wire: what looks into simulated packets needs its types, and arithmetic with instants its
// operators.
@_exported public import GodwitWire

// What a user of the simulator meets in its API, so that one import is enough.
@_exported public import class GodwitCore.Connection
@_exported public import enum GodwitCore.ConnectionCloseReason
@_exported public import enum GodwitCore.ConnectionEvent
@_exported public import struct GodwitCore.ConnectionHandle
@_exported public import enum GodwitCore.DatagramError
@_exported public import struct GodwitCore.ResumptionTicket
@_exported public import enum GodwitCore.RetryPolicy
@_exported public import enum GodwitCore.StreamError
@_exported public import enum GodwitCore.StreamEvent
@_exported public import struct GodwitCore.TransportConfiguration
@_exported public import struct GodwitCrypto.HandshakeSummary
