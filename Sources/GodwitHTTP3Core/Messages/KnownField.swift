import GodwitQPACK

/// The fields that the rules of HTTP/3 are about.
enum KnownField: UInt8 {
    case method
    case scheme
    case authority
    case path
    case `protocol`
    case status
    /// Begins with a colon, and is none of the above.
    case unknownPseudoHeader
    case host
    case contentLength
    case contentType
    case capsuleProtocol
    case te
    case priority
    case cookie
    /// Speaks of one connection, which HTTP/3 says by other means (RFC 9114 section 4.2).
    case connectionSpecific
    case ordinary

    init(_ line: UnsafeFieldLine) {
        guard let first = line.name.first else {
            self = .ordinary
            return
        }
        self = first == UInt8(ascii: ":") ? Self.pseudoHeader(line) : Self.field(line)
    }

    private static func pseudoHeader(_ line: UnsafeFieldLine) -> KnownField {
        switch line.name.count {
        case 5: line.name.spells(":path") ? .path : .unknownPseudoHeader
        case 7: ofSeven(line)
        case 9: line.name.spells(":protocol") ? .protocol : .unknownPseudoHeader
        case 10: line.name.spells(":authority") ? .authority : .unknownPseudoHeader
        default: .unknownPseudoHeader
        }
    }

    private static func ofSeven(_ line: UnsafeFieldLine) -> KnownField {
        if line.name.spells(":method") { return .method }
        if line.name.spells(":scheme") { return .scheme }
        return line.name.spells(":status") ? .status : .unknownPseudoHeader
    }

    private static func ofSixteen(_ line: UnsafeFieldLine) -> KnownField {
        if line.name.spells("proxy-connection") { return .connectionSpecific }
        return line.name.spells("capsule-protocol") ? .capsuleProtocol : .ordinary
    }

    private static func field(_ line: UnsafeFieldLine) -> KnownField {
        switch line.name.count {
        case 2: line.name.spells("te") ? .te : .ordinary
        case 4: line.name.spells("host") ? .host : .ordinary
        case 6: line.name.spells("cookie") ? .cookie : .ordinary
        case 7: line.name.spells("upgrade") ? .connectionSpecific : .ordinary
        case 8: line.name.spells("priority") ? .priority : .ordinary
        case 10:
            line.name.spells("connection") || line.name.spells("keep-alive") ? .connectionSpecific : .ordinary
        case 12: line.name.spells("content-type") ? .contentType : .ordinary
        case 14: line.name.spells("content-length") ? .contentLength : .ordinary
        case 16: ofSixteen(line)
        case 17: line.name.spells("transfer-encoding") ? .connectionSpecific : .ordinary
        default: .ordinary
        }
    }
}
