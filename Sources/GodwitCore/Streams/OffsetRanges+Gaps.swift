extension OffsetRanges {
    /// Calls `body` with each part of `range` that is not in the set, lowest first.
    func forEachGap(in range: Range<UInt64>, _ body: (Range<UInt64>) -> Void) {
        var offset = range.lowerBound
        var position = firstPosition(endingAbove: offset)
        while position < ranges.count, ranges[position].lowerBound < range.upperBound {
            let held = ranges[position]
            if held.lowerBound > offset { body(offset..<held.lowerBound) }
            offset = max(offset, held.upperBound)
            position += 1
        }
        if offset < range.upperBound { body(offset..<range.upperBound) }
    }

    /// Whether all of the set lies between these bounds and in order. Only in a damaged snapshot it may not.
    func isWithin(_ bounds: ClosedRange<UInt64>) -> Bool {
        var previous: UInt64?
        for range in ranges {
            guard !range.isEmpty, previous.map({ $0 < range.lowerBound }) ?? true else { return false }
            previous = range.upperBound
        }
        guard let first, let last else { return true }
        return first.lowerBound >= bounds.lowerBound && last.upperBound <= bounds.upperBound
    }

    private func firstPosition(endingAbove value: UInt64) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
