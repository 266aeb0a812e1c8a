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
            merged =
                min(merged.lowerBound, ranges[to].lowerBound)..<max(merged.upperBound, ranges[to].upperBound)
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
        var from = firstPosition(endingAtOrAfter: range.lowerBound &+ 1)
        guard from < ranges.count, ranges[from].lowerBound < range.upperBound else { return }
        let first = ranges[from]
        if first.lowerBound < range.lowerBound {
            ranges[from] = first.lowerBound..<range.lowerBound
            from += 1
            if first.upperBound > range.upperBound {
                ranges.insert(range.upperBound..<first.upperBound, at: from)
                return
            }
        }
        removeStarts(from: from, below: range.upperBound)
    }

    /// Drops what lies below `bound` in the ranges from `position` on, in place, so that nothing is allocated.
    private mutating func removeStarts(from position: Int, below bound: UInt64) {
        var to = position
        while to < ranges.count, ranges[to].upperBound <= bound { to += 1 }
        if to < ranges.count, ranges[to].lowerBound < bound {
            ranges[to] = bound..<ranges[to].upperBound
        }
        if position < to { ranges.removeSubrange(position..<to) }
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
