public import GodwitWire

/// Holds all copies of a connection together to one use of each packet number under a key, since a second use
/// breaks the AEAD (RFC 9001 section 9.5; RFC 9000 section 12.3).
///
/// Programs report ``Observation/sealed(key:packetNumber:)``. A process that was checkpointed and runs on in
/// two places reports the same keys from two hosts.
public final class PacketNumberChecker: Checker {
    /// `packet numbers`.
    public let name = "packet numbers"
    private var usedByKey: [UInt64: UsedNumbers] = [:]

    /// A checker that has seen nothing.
    public init() {}

    /// Judges a packet that was sealed.
    public func check(_ observation: Observation, from host: HostID, at time: Instant) -> String? {
        guard case .sealed(let key, let number) = observation else { return nil }
        guard usedByKey[key, default: UsedNumbers()].insert(number) else {
            return "packet number \(number) was used again under key 0x\(String(key, radix: 16))"
        }
        return nil
    }
}

/// Numbers that come mostly in ascending order, as ranges.
struct UsedNumbers {
    private var ranges: ContiguousArray<ClosedRange<UInt64>> = []

    /// False if the number is there already.
    mutating func insert(_ number: UInt64) -> Bool {
        let index = firstRange(endingAtOrAfter: number)
        if index < ranges.count, ranges[index].contains(number) { return false }
        let joinsLower = index > 0 && ranges[index - 1].upperBound + 1 == number
        let joinsUpper = index < ranges.count && number + 1 == ranges[index].lowerBound
        switch (joinsLower, joinsUpper) {
        case (true, true):
            ranges[index - 1] = ranges[index - 1].lowerBound...ranges[index].upperBound
            ranges.remove(at: index)
        case (true, false): ranges[index - 1] = ranges[index - 1].lowerBound...number
        case (false, true): ranges[index] = number...ranges[index].upperBound
        case (false, false): ranges.insert(number...number, at: index)
        }
        return true
    }

    private func firstRange(endingAtOrAfter number: UInt64) -> Int {
        if let last = ranges.last, last.upperBound < number { return ranges.count }
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
