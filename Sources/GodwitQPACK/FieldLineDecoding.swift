import GodwitWire

/// Decodes the lines of one field section (RFC 9204 section 4.5) at a decoder that has the inserts it
/// requires.
struct FieldLineDecoding {
    let prefix: FieldSectionPrefix
    let sizeLimit: Int

    /// Decodes all that is left of `reader`.
    func decode(
        _ reader: inout ByteReader, _ table: borrowing DynamicTable, into section: inout FieldSection
    ) throws(QPACKError) {
        while !reader.isAtEnd {
            switch try readFieldLine(&reader) {
            case .indexed(let reference):
                try withEntry(reference, table) { (name, value) throws(QPACKError) in
                    guard try room(besides: name.count, in: section) >= value.count else {
                        throw .fieldSectionTooLarge
                    }
                    section.append(name: name, value: value)
                }
            case .literalWithNameReference(let reference, let value, let neverIndexed):
                try withEntry(reference, table) { (name, _) throws(QPACKError) in
                    try append(name, value, neverIndexed, to: &section)
                }
            case .literal(let name, let value, let neverIndexed):
                try append(name, value, neverIndexed, to: &section)
            }
        }
    }

    @inline(__always)
    private func readFieldLine(_ reader: inout ByteReader) throws(QPACKError) -> FieldLineRepresentation {
        do throws(ParseFailure) {
            return try reader.readFieldLine()
        } catch {
            throw QPACKError(inFieldSection: error)
        }
    }

    /// Calls `body` with the entry that is referred to.
    @inline(__always)
    private func withEntry(
        _ reference: TableReference, _ table: borrowing DynamicTable,
        _ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(QPACKError) -> Void
    ) throws(QPACKError) {
        if case .staticTable(let index) = reference {
            guard let entry = StaticTable.entry(index) else { throw .noStaticEntry }
            return try body(entry.name, entry.value)
        }
        let index = try absoluteIndex(reference)
        // RFC 9204 section 2.2.3.
        guard index < prefix.requiredInsertCount, table.contains(index) else { throw .invalidReference }
        try table.withEntry(index, body)
    }

    private func absoluteIndex(_ reference: TableReference) throws(QPACKError) -> UInt64 {
        switch reference {
        case .staticTable(let index): return index
        case .relative(let index):
            guard index < prefix.base else { throw .invalidReference }
            return prefix.base - 1 - index
        // Base and index are below 2^63: no overflow.
        case .postBase(let index): return prefix.base + index
        }
    }

    private func append(
        _ name: UnsafeRawBufferPointer, _ value: StringLiteral, _ neverIndexed: Bool,
        to section: inout FieldSection
    ) throws(QPACKError) {
        let valueRoom = min(value.maximumDecodedCount, try room(besides: name.count, in: section))
        let count = try section.withRoom(for: name.count + valueRoom) { (room) throws(QPACKError) in
            room.copyMemory(from: name)
            return try decode(value, into: UnsafeMutableRawBufferPointer(rebasing: room[name.count...]))
        }
        section.appendLine(nameCount: name.count, valueCount: count, neverIndexed: neverIndexed)
    }

    private func append(
        _ name: StringLiteral, _ value: StringLiteral, _ neverIndexed: Bool, to section: inout FieldSection
    ) throws(QPACKError) {
        let wanted = name.maximumDecodedCount + value.maximumDecodedCount
        let room = min(wanted, try room(besides: 0, in: section))
        let counts = try section.withRoom(for: room) { (room) throws(QPACKError) in
            let nameCount = try decode(name, into: room)
            let rest = UnsafeMutableRawBufferPointer(rebasing: room[nameCount...])
            return (name: nameCount, value: try decode(value, into: rest))
        }
        section.appendLine(nameCount: counts.name, valueCount: counts.value, neverIndexed: neverIndexed)
    }

    /// How many more bytes the next line may have (RFC 9114 section 4.2.2).
    @inline(__always)
    private func room(besides count: Int, in section: borrowing FieldSection) throws(QPACKError) -> Int {
        let room = sizeLimit - section.size - FieldSection.overheadPerLine - count
        guard room >= 0 else { throw .fieldSectionTooLarge }
        return room
    }

    private func decode(
        _ text: StringLiteral, into room: UnsafeMutableRawBufferPointer
    ) throws(QPACKError) -> Int {
        do throws(ParseFailure) {
            return try text.decode(into: room)
        } catch {
            throw QPACKError(inFieldSection: error)
        }
    }
}

extension QPACKError {
    fileprivate static let noStaticEntry = QPACKError(
        .decompressionFailed, "no such entry of the static table")
    fileprivate static let invalidReference = QPACKError(
        .decompressionFailed, "reference to an entry that was evicted or is not required")
}
