import GodwitQPACK

/// What a request's header section says about the message, once it is known to be well formed.
struct RequestControl: Hashable, Sendable, Codable {
    /// Stands for a line that is not there.
    static let none: UInt8 = 0xff

    var pseudoHeaderCount: UInt8 = 0
    var methodLine: UInt8 = none
    var schemeLine: UInt8 = none
    var authorityLine: UInt8 = none
    var pathLine: UInt8 = none
    var protocolLine: UInt8 = none
    var method = RequestMethod.other
    /// What the Priority field said; nil when there is none that can be read.
    var priority: Priority?
    var contentLength: UInt64?

    /// A tunnel has no content in the sense of HTTP (RFC 9114 section 4.4).
    var isTunnel: Bool { method == .connect }

    /// Whether the tunnel is for a protocol of its own (RFC 9220 section 3).
    var isExtendedConnect: Bool { isTunnel && protocolLine != Self.none }

    func line(_ index: UInt8) -> Int? { index == Self.none ? nil : Int(index) }
}
