// What a user of the API has to name comes with `import GodwitHTTP3`, but for `HTTPRequest` and its kin: they
// are HTTPTypes' own.
@_exported public import Godwit
public import GodwitHTTP3Core

@_exported public import struct GodwitHTTP3Core.HTTP3Error
@_exported public import struct GodwitHTTP3Core.HTTP3ErrorCode
@_exported public import enum GodwitHTTP3Core.HTTP3SendError
@_exported public import struct GodwitHTTP3Core.HTTP3Setting
@_exported public import struct GodwitHTTP3Core.HTTP3Settings

/// How a response competes with the others of its connection (RFC 9218 section 4).
public typealias HTTP3Priority = GodwitHTTP3Core.Priority
