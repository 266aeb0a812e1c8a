/// Which datagram size to try next between one that is known to pass and one that is not known to (RFC 8899
/// section 5.3).
///
/// The largest candidate goes first, since on most paths it passes. Then the search halves the list of sizes
/// that links and tunnels really have, and what lies between two of those only while the gap is worth a
/// probe.
struct MTUSearch: Codable, Sendable, Equatable {
    /// UDP payloads that fill common links: 1280 (IPv6's minimum), 1400, 1420 (WireGuard), 1480 (a tunnel),
    /// 1492 (PPPoE), 1500 (Ethernet), 4352, 9000 (jumbo frames) and 65535, less 28 bytes of headers with IPv4
    /// and 48 with IPv6.
    private static let likelySizes: [Int] = [
        1232, 1252, 1352, 1372, 1392, 1432, 1444, 1452, 1464, 1472, 4304, 4324, 8952, 8972, 16384, 32768,
        65487,
        65507,
    ]
    /// A gain below this many bytes is not worth more probes.
    static let granularity = 20
    /// How many probes of a size have to be lost in a row (RFC 8899 section 5.1.2, MAX_PROBES).
    static let maximumLosses = 3

    /// The largest size that is known to pass.
    private(set) var confirmed: Int
    /// The largest size that may still pass.
    private(set) var upperBound: Int
    private let firstTry: Int
    private var losses = 0

    init(confirmed: Int, ceiling: Int) {
        self.confirmed = confirmed
        self.upperBound = max(confirmed, ceiling)
        self.firstTry = upperBound
    }

    /// The size to probe now, always the same until something is learnt; nil when the search is over.
    var candidate: Int? {
        guard upperBound > confirmed else { return nil }
        if upperBound == firstTry { return upperBound }
        let likely = Self.likelySizes.filter { $0 > confirmed && $0 <= upperBound }
        if !likely.isEmpty { return likely[likely.count / 2] }
        guard upperBound - confirmed >= Self.granularity else { return nil }
        return (confirmed + upperBound + 1) / 2
    }

    mutating func onProbeAcknowledged(_ size: Int) {
        guard size > confirmed else { return }
        confirmed = size
        upperBound = max(upperBound, size)
        losses = 0
    }

    mutating func onProbeLost(_ size: Int) {
        guard size == candidate else { return }
        losses += 1
        if losses >= Self.maximumLosses { rule(out: size) }
    }

    /// Takes it that `size` doesn't pass.
    mutating func rule(out size: Int) {
        guard size > confirmed else { return }
        upperBound = min(upperBound, size - 1)
        losses = 0
    }
}
