import GodwitQPACK

/// The methods that the rules of HTTP tell apart.
@frozen
public enum RequestMethod: UInt8, Hashable, Sendable, Codable {
    /// GET
    case get
    /// HEAD: the response has no content.
    case head
    /// POST
    case post
    /// PUT
    case put
    /// DELETE
    case delete
    /// CONNECT: the stream is a tunnel (RFC 9114 section 4.4).
    case connect
    /// OPTIONS: the path may be `*`.
    case options
    /// TRACE
    case trace
    /// PATCH
    case patch
    /// Any other; its name is in the line of `:method`.
    case other

    /// Whether the method is safe (RFC 9110 section 9.2.1), so that a repetition by an attacker does no harm.
    public var isSafe: Bool { self == .get || self == .head || self == .options || self == .trace }

    init(_ line: UnsafeFieldLine) {
        switch line.value.count {
        case 3: self = line.value.spells("GET") ? .get : line.value.spells("PUT") ? .put : .other
        case 4: self = line.value.spells("POST") ? .post : line.value.spells("HEAD") ? .head : .other
        case 5: self = line.value.spells("PATCH") ? .patch : line.value.spells("TRACE") ? .trace : .other
        case 6: self = line.value.spells("DELETE") ? .delete : .other
        case 7:
            self = line.value.spells("CONNECT") ? .connect : line.value.spells("OPTIONS") ? .options : .other
        default: self = .other
        }
    }
}
