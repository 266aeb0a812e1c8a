/// An IPv4 or IPv6 address.
///
/// IPv4 is kept as its IPv4-mapped IPv6 form, so that an address seen through a dual-stack socket compares
/// equal to the same address seen through an IPv4 socket.
@frozen
public struct IPAddress: Hashable, Sendable, Codable {
    /// The first 8 of the 16 bytes of the IPv6 (or IPv4-mapped) address, first byte most significant.
    public let high: UInt64
    /// The last 8 bytes.
    public let low: UInt64
    /// The interface a link-local IPv6 address belongs to; 0 for every other address.
    public let scope: UInt32

    /// An address from its bytes. A scope is kept only where it means something, on a link-local IPv6
    /// address: anywhere else it would make two names of one address.
    @inlinable
    public init(high: UInt64, low: UInt64, scope: UInt32 = 0) {
        self.high = high
        self.low = low
        self.scope = high >> 54 == 0x3fa ? scope : 0
    }

    /// An IPv4 address from its four bytes, first byte most significant.
    @inlinable
    public init(v4 value: UInt32) { self.init(high: 0, low: 0xffff_0000_0000 | UInt64(value)) }

    /// Whether this is an IPv4 address, in IPv4-mapped form (RFC 4291 section 2.5.5.2).
    @inlinable
    public var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }
    /// The four bytes of an IPv4 address, first byte most significant.
    @inlinable
    public var v4: UInt32? { isIPv4 ? UInt32(truncatingIfNeeded: low) : nil }
    /// Whether this is `0.0.0.0` or `::`.
    @inlinable
    public var isUnspecified: Bool { high == 0 && (low == 0 || low == 0xffff_0000_0000) }

    /// Whether the address is of `127.0.0.0/8` or `::1`.
    public var isLoopback: Bool { isIPv4 ? low >> 24 & 0xff == 127 : high == 0 && low == 1 }
    /// Whether the address is of `224.0.0.0/4` or `ff00::/8`.
    public var isMulticast: Bool { isIPv4 ? low >> 28 & 0xf == 0xe : high >> 56 == 0xff }
    /// Whether this is `255.255.255.255`.
    public var isBroadcast: Bool { v4 == UInt32.max }
    /// Whether the address is of `169.254.0.0/16` or `fe80::/10`.
    public var isLinkLocal: Bool { isIPv4 ? low >> 16 & 0xffff == 0xa9fe : high >> 54 == 0x3fa }
    /// Whether the address is one of RFC 1918 or RFC 4193.
    public var isPrivate: Bool {
        guard let v4 else { return high >> 57 == 0x7e }
        return v4 >> 24 == 10 || v4 >> 20 == 0xac1 || v4 >> 16 == 0xc0a8
    }

    /// `0.0.0.0`, the wildcard of an IPv4 socket.
    public static let anyIPv4 = IPAddress(v4: 0)
    /// `::`, the wildcard of an IPv6 socket.
    public static let anyIPv6 = IPAddress(high: 0, low: 0)
}

/// An IP address and a UDP port.
@frozen
public struct NetworkAddress: Hashable, Sendable, Codable {
    /// The address of the host.
    public var ip: IPAddress
    /// The UDP port.
    public var port: UInt16

    /// The UDP port `port` of the host `ip`.
    @inlinable
    public init(ip: IPAddress, port: UInt16) {
        self.ip = ip
        self.port = port
    }

    /// Whether the host's address is an IPv4 address.
    @inlinable
    public var isIPv4: Bool { ip.isIPv4 }
}

extension NetworkAddress {
    /// Parses a numeric address: `192.0.2.1:443`, `[2001:db8::1]:443`. Names are not looked up.
    public init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"),
            let port = NetworkAddress.parsePort(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        let isBracketed = host.first == "[" && host.last == "]"
        if isBracketed { host = host.dropFirst().dropLast() }
        // Brackets belong to IPv6 and only to it (RFC 3986 section 3.2.2).
        guard host.contains(":") == isBracketed else { return nil }
        self.init(String(host), port: port)
    }

    /// Digits only: the standard library's parser would take a sign.
    private static func parsePort(_ text: some StringProtocol) -> UInt16? {
        (1...5).contains(text.utf8.count) && text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? UInt16(text) : nil
    }

    /// Parses a numeric IPv4 or IPv6 address. Names are not looked up.
    public init?(_ host: some StringProtocol, port: UInt16) {
        guard let ip = IPAddress(host) else { return nil }
        self.init(ip: ip, port: port)
    }
}

extension NetworkAddress: CustomStringConvertible {
    /// The form that the parser takes: `192.0.2.1:443`, `[2001:db8::1]:443`.
    public var description: String { ip.isIPv4 ? "\(ip):\(port)" : "[\(ip)]:\(port)" }
}

extension IPAddress {
    /// Parses dotted IPv4 or IPv6 in any form of RFC 4291 section 2.2, without a zone.
    public init?(_ text: some StringProtocol) {
        if text.contains(":") {
            guard let groups = IPAddress.parseIPv6(text) else { return nil }
            let words = [groups[..<4], groups[4...]].map { $0.reduce(0) { $0 << 16 | $1 } }
            self.init(high: words[0], low: words[1])
        } else {
            guard let value = IPAddress.parseIPv4(text) else { return nil }
            self.init(v4: value)
        }
    }

    private static func parseIPv4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
                let byte = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(byte)
        }
        return value
    }

    private static func parseIPv6(_ text: some StringProtocol) -> [UInt64]? {
        let halves = splitAtDoubleColon(String(text))
        guard halves.count <= 2, let front = parseGroups(halves[0], mayEndInIPv4: halves.count == 1),
            let back = halves.count == 2 ? parseGroups(halves[1], mayEndInIPv4: true) : []
        else { return nil }
        if halves.count == 1 { return front.count == 8 ? front : nil }
        guard front.count + back.count < 8 else { return nil }
        return front + Array(repeating: 0, count: 8 - front.count - back.count) + back
    }

    private static func splitAtDoubleColon(_ text: String) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var index = text.startIndex
        while index < text.endIndex {
            let next = text.index(after: index)
            if text[index] == ":", next < text.endIndex, text[next] == ":" {
                parts.append(text[start..<index])
                start = text.index(after: next)
                index = start
            } else {
                index = next
            }
        }
        return parts + [text[start...]]
    }

    private static func parseGroups(_ text: Substring, mayEndInIPv4: Bool) -> [UInt64]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt64] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, part.contains(".") {
                guard let v4 = parseIPv4(part) else { return nil }
                groups += [UInt64(v4 >> 16), UInt64(v4 & 0xffff)]
            } else {
                guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit),
                    let group = UInt64(part, radix: 16)
                else { return nil }
                groups.append(group)
            }
        }
        return groups
    }
}

extension IPAddress: CustomStringConvertible {
    /// RFC 5952 text form.
    public var description: String {
        if let v4 {
            return "\(v4 >> 24).\(v4 >> 16 & 0xff).\(v4 >> 8 & 0xff).\(v4 & 0xff)"
        }
        let groups = [high, low].flatMap { word in (0..<4).map { word >> (48 - 16 * UInt64($0)) & 0xffff } }
        let gap = longestZeroRun(groups)
        var text = ""
        var index = 0
        while index < 8 {
            if let gap, index == gap.lowerBound {
                text += "::"
                index = gap.upperBound
            } else {
                if !text.isEmpty, !text.hasSuffix(":") { text += ":" }
                text += String(groups[index], radix: 16)
                index += 1
            }
        }
        return text
    }

    private func longestZeroRun(_ groups: [UInt64]) -> Range<Int>? {
        var best: Range<Int>?
        var start: Int?
        for index in 0...8 {
            if index < 8, groups[index] == 0 {
                start = start ?? index
            } else if let first = start {
                if index - first > max(best?.count ?? 1, 1) { best = first..<index }
                start = nil
            }
        }
        return best
    }
}
