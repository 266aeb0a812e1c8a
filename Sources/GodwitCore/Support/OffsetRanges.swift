/// A set of integers as sorted, disjoint, non-adjacent half-open ranges.
///
/// Holds byte offsets and packet numbers. Both mostly grow at the end, so that case is the fast one.
struct OffsetRanges: Codable, Sendable, Equatable {
    private(set) var ranges: ContiguousArray<Range<UInt64>> = []

    var isEmpty: Bool { ranges.isEmpty }
    var count: Int { ranges.count }
    var first: Range<UInt64>? { ranges.first }
    var last: Range<UInt64>? { ranges.last }

    func contains(_ value: UInt64) -> Bool {
        let position = firstPosition(endingAtOrAfter: value &+ 1)
        return position < ranges.count && ranges[position].contains(value)
    }

    /// Whether all of `range` is in the set.
    func contains(_ range: Range<UInt64>) -> Bool {
        if range.isEmpty { return true }
        let position = firstPosition(endingAtOrAfter: range.upperBound)
        return position < ranges.count && ranges[position].lowerBound <= range.lowerBound
    }

    mutating func insert(_ range: Range<UInt64>) {
        if range.isEmpty { return }
        guard let last = ranges.last, range.lowerBound <= last.upperBound else {
            ranges.append(range)
            return
        }
        if range.lowerBound >= last.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            return
        }
        insertBeforeEnd(range)
    }

    private mutating func insertBeforeEnd(_ range: Range<UInt64>) {
        let from = firstPosition(endingAtOrAfter: range.lowerBound)
        var to = from
        var merged = range
        while to < ranges.count, ranges[to].lowerBound <= range.upperBound {
            merged = min(merged.lowerBound, ranges[to].lowerBound)..<max(merged.upperBound, ranges[to].upperBound)
            to += 1
        }
        if to == from + 1 {
            ranges[from] = merged
        } else {
            ranges.replaceSubrange(from..<to, with: CollectionOfOne(merged))
        }
    }

    mutating func remove(_ range: Range<UInt64>) {
        if range.isEmpty { return }
        let from = firstPosition(endingAtOrAfter: range.lowerBound &+ 1)
        var to = from
        var kept: [Range<UInt64>] = []
        while to < ranges.count, ranges[to].lowerBound < range.upperBound {
            let old = ranges[to]
            if old.lowerBound < range.lowerBound { kept.append(old.lowerBound..<range.lowerBound) }
            if old.upperBound > range.upperBound { kept.append(range.upperBound..<old.upperBound) }
            to += 1
        }
        if from < to { ranges.replaceSubrange(from..<to, with: kept) }
    }

    /// Drops every integer below `bound`.
    mutating func removeAll(below bound: UInt64) { remove(0..<bound) }

    @discardableResult
    mutating func removeFirst() -> Range<UInt64> { ranges.removeFirst() }

    mutating func removeAll() { ranges.removeAll() }

    /// The position of the first range whose upper bound is at or above `value`.
    private func firstPosition(endingAtOrAfter value: UInt64) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
