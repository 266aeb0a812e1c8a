public import GodwitQPACK

/// The header section of a request that is well formed (RFC 9114 section 4.3.1): the fields as they came, and
/// where the control data is among them.
public struct RequestHead: Equatable, Sendable, Codable {
    /// All field lines, pseudo-header fields first.
    public var fields: FieldSection
    /// Where the control data is, and what the fields say about the message.
    var control: RequestControl
    /// How urgent the response is: the last PRIORITY_UPDATE that came before, else the Priority field, else
    /// the default (RFC 9218).
    public internal(set) var priority: Priority
    /// Whether the request came in early data, where an attacker may have repeated it; unless it is harmless
    /// the answer is 425 (RFC 8470 section 5.2).
    public internal(set) var isEarlyData: Bool

    /// How many of the first lines are pseudo-header fields.
    public var pseudoHeaderCount: Int { Int(control.pseudoHeaderCount) }
    /// The line of `:method`.
    public var methodLine: Int { Int(control.methodLine) }
    /// The line of `:scheme`, which plain CONNECT does not have.
    public var schemeLine: Int? { control.line(control.schemeLine) }
    /// The line of `:authority`.
    public var authorityLine: Int? { control.line(control.authorityLine) }
    /// The line of `:path`, which plain CONNECT does not have.
    public var pathLine: Int? { control.line(control.pathLine) }
    /// The line of `:protocol`, which only extended CONNECT has (RFC 9220 section 3).
    public var protocolLine: Int? { control.line(control.protocolLine) }
    /// The method, as far as it is one that means something to HTTP itself.
    public var method: RequestMethod { control.method }
    /// What the Content-Length field says, in bytes. Nil for CONNECT, where it means nothing.
    public var contentLength: UInt64? { control.contentLength }
}

extension RequestHead {
    /// The cookies in one value. A client may spread them over lines, which must be put together for whoever
    /// does not speak HTTP/3 (RFC 9114 section 4.2.1).
    public var cookie: [UInt8]? {
        var joined: [UInt8]?
        fields.forEachUnsafeLine { line in
            guard KnownField(line) == .cookie else { return }
            joined = joined.map { $0 + [0x3b, 0x20] + line.value } ?? [UInt8](line.value)
        }
        return joined
    }
}
