extension DynamicTable {
    /// Does what the peer's encoder says (RFC 9204 section 4.3). The instruction was read for this table.
    mutating func execute(_ instruction: EncoderInstruction, maximumCapacity: Int) throws(QPACKError) {
        switch instruction {
        case .setCapacity(let capacity): try setCapacity(capacity, maximum: maximumCapacity)
        case .duplicate(let index): duplicate(absoluteIndex(index))
        case .insertWithStaticName(let index, let value):
            let name = StaticTable.entries[Int(index)].name
            try insert(nameCount: name.count, value) { room, _ in room.copyMemory(from: name) }
        case .insertWithDynamicName(let index, let value): try insert(nameOf: absoluteIndex(index), value)
        case .insertWithLiteralName(let name, let value): try insert(name, value)
        }
    }

    /// RFC 9204 section 4.3.1.
    private mutating func setCapacity(_ capacity: UInt64, maximum: Int) throws(QPACKError) {
        guard capacity <= UInt64(maximum) else {
            throw QPACKError(.encoderStreamError, "table capacity above the limit")
        }
        setCapacity(Int(capacity))
    }

    /// RFC 9204 section 3.2.5.
    private func absoluteIndex(_ relativeIndex: UInt64) -> UInt64 { insertCount - 1 - relativeIndex }

    private mutating func insert(nameOf index: UInt64, _ value: StringLiteral) throws(QPACKError) {
        let nameCount = Int(slot(index).nameCount)
        // The entry may move when room is made, but not again for what is no more than was asked for.
        makeRoom(for: nameCount + min(value.maximumDecodedCount, capacity))
        let start = slot(index).start
        try insert(nameCount: nameCount, value) { room, all in
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[start..<start + nameCount]))
        }
    }

    /// Inserts an entry whose name `copyName` writes.
    private mutating func insert(
        nameCount: Int, _ value: StringLiteral,
        copyName: (UnsafeMutableRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) throws(QPACKError) {
        let valueRoom = min(value.maximumDecodedCount, try room(besides: nameCount))
        let valueCount = try withRoom(for: nameCount + valueRoom) { (room, all) throws(QPACKError) in
            copyName(room, all)
            return try value.decodeForTable(into: UnsafeMutableRawBufferPointer(rebasing: room[nameCount...]))
        }
        commit(nameCount: nameCount, valueCount: valueCount)
    }

    private mutating func insert(_ name: StringLiteral, _ value: StringLiteral) throws(QPACKError) {
        let wanted = name.maximumDecodedCount + value.maximumDecodedCount
        let room = min(wanted, try room(besides: 0))
        let counts = try withRoom(for: room) { (room, _) throws(QPACKError) in
            let nameCount = try name.decodeForTable(into: room)
            let rest = UnsafeMutableRawBufferPointer(rebasing: room[nameCount...])
            return (nameCount, try value.decodeForTable(into: rest))
        }
        commit(nameCount: counts.0, valueCount: counts.1)
    }

    /// How long the rest of an entry may be (RFC 9204 section 3.2.2: no entry is larger than the table).
    private func room(besides count: Int) throws(QPACKError) -> Int {
        let room = capacity - Self.overheadPerEntry - count
        guard room >= 0 else { throw .entryTooLarge }
        return room
    }
}

extension StringLiteral {
    fileprivate func decodeForTable(into room: UnsafeMutableRawBufferPointer) throws(QPACKError) -> Int {
        do throws(ParseFailure) {
            return try decode(into: room)
        } catch {
            if case .noRoom = error { throw .entryTooLarge }
            throw QPACKError(onEncoderStream: error)
        }
    }
}

extension QPACKError {
    fileprivate static let entryTooLarge = QPACKError(.encoderStreamError, "entry larger than the table")
}
