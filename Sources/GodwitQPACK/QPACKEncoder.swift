import GodwitWire

/// Encodes the field sections of a connection (RFC 9204 section 2.1).
///
/// It inserts into the peer's table what is likely to be sent again, and refers to it as soon as the peer's
/// settings allow. Values that may be secrets it neither inserts nor looks up, and marks them so for every
/// hop: those of lines that were appended as never indexed, and of authorization, proxy-authorization,
/// set-cookie and short cookie fields (RFC 9204 section 7.1.3).
///
/// Before ``applyPeerSettings(maximumTableCapacity:blockedStreams:)`` it uses the static table and literals.
/// After each batch of calls, send what ``takeEncoderStreamBytes(into:)`` gives, before or together with the
/// sections.
///
/// A peer that does not acknowledge can't make it grow: it keeps a table of `tableCapacityLimit`, and notes
/// of a fixed number of sections.
public struct QPACKEncoder: Sendable {
    /// The most that our table may take, in bytes, whatever the peer would allow.
    public let tableCapacityLimit: Int
    /// The most streams that we risk to have blocked at once, whatever the peer would allow.
    public let blockedStreamLimit: Int

    /// How many bytes of instructions may be produced before they are taken. An instruction that can't be
    /// sent as a whole for want of flow-control credit could bring both ends to a standstill (RFC 9204
    /// section 2.1.3); whoever knows the credit sets this to it.
    public var encoderStreamCredit = 1 << 14

    /// The peer's SETTINGS_QPACK_MAX_TABLE_CAPACITY.
    var maximumTableCapacity: UInt64 = 0
    /// How many streams may be blocked, by the peer's settings and our limit.
    var maximumBlockedStreams = 0
    var table = SearchableTable()
    var isCapacityAnnounced = false
    /// How many inserts the decoder is known to have received (RFC 9204 section 2.1.4).
    var knownReceivedCount: UInt64 = 0
    var outstanding = OutstandingSections()
    var blocking = BlockedStreams()
    var cancelled = CancelledStreams()
    private var idleCancellations = 0
    private var history = LineHistory()
    var encoderStream: [UInt8] = []
    var partialInstruction = PartialInstruction()

    static let sizes = 0...1 << 30

    /// An encoder that, once the peer's settings are known, builds a table of at most `tableCapacityLimit`
    /// bytes (no more than 2^30) and lets at most `blockedStreamLimit` streams depend on inserts that may be
    /// late.
    public init(tableCapacityLimit: Int = 4096, blockedStreamLimit: Int = 100) {
        precondition(Self.sizes ~= tableCapacityLimit && blockedStreamLimit >= 0)
        self.tableCapacityLimit = tableCapacityLimit
        self.blockedStreamLimit = blockedStreamLimit
    }

    /// How many entries were inserted so far.
    public var insertCount: UInt64 { table.insertCount }
    /// How many field sections with references to the dynamic table are not acknowledged.
    public var outstandingSectionCount: Int { outstanding.count }
    /// How many streams the peer may find blocked; never more than its setting (RFC 9204 section 2.1.2).
    public var blockingStreamCount: Int { blocking.count }

    /// Takes the peer's SETTINGS_QPACK_MAX_TABLE_CAPACITY, in bytes, and SETTINGS_QPACK_BLOCKED_STREAMS.
    ///
    /// A client that sends early data calls it first with the remembered settings and then with the real
    /// ones. A server that had offered a table and offers another is in error (RFC 9204 section 3.2.3). If
    /// early data is rejected, start over with a new encoder.
    public mutating func applyPeerSettings(
        maximumTableCapacity: UInt64, blockedStreams: UInt64
    ) throws(QPACKError) {
        guard self.maximumTableCapacity == 0 || self.maximumTableCapacity == maximumTableCapacity else {
            throw QPACKError(.decoderStreamError, "another maximum table capacity than the one remembered")
        }
        self.maximumTableCapacity = maximumTableCapacity
        maximumBlockedStreams = Int(min(UInt64(blockedStreamLimit), blockedStreams))
        guard table.capacity == 0 else { return }
        table.setCapacity(Int(min(UInt64(tableCapacityLimit), maximumTableCapacity)))
    }
}

// MARK: Field sections

extension QPACKEncoder {
    /// What is noted while a section is encoded.
    private struct Progress {
        let stream: UInt64
        let base: UInt64
        var requiredInsertCount: UInt64 = 0
        var oldestReference = UInt64.max
        /// Whether the section may refer to inserts that the decoder might not have.
        let mayBlock: Bool
        /// Whether it may refer to the dynamic table at all.
        let mayRefer: Bool

        mutating func refer(to index: UInt64) {
            requiredInsertCount = max(requiredInsertCount, index + 1)
            oldestReference = min(oldestReference, index)
        }
    }

    /// A line with what it is searched by.
    private struct HashedLine {
        let line: UnsafeFieldLine
        let nameHash: UInt64
        let lineHash: UInt64
        let staticName: Int?

        var tableSize: Int { line.name.count + line.value.count + DynamicTable.overheadPerEntry }
    }

    /// The most that prefix and representation add to the bytes of names and values.
    private static let maximumPrefixLength = 2 * (PrefixedInteger.maximumLength + 1)
    private static let maximumLineOverhead = 2 * (PrefixedInteger.maximumLength + 1)

    /// Appends to `output` the encoded field section of `section` for `stream`.
    ///
    /// It counts on being sent: when it is not, reset the stream, so that the peer cancels it.
    public mutating func encode(
        _ section: borrowing FieldSection, stream: UInt64, into output: inout [UInt8]
    ) {
        var progress = Progress(
            stream: stream, base: table.insertCount,
            mayBlock: blocking.count < maximumBlockedStreams || blocking.contains(stream),
            mayRefer: table.capacity > 0 && !outstanding.isFull && !cancelled.contains(stream))
        let limit = Self.maximumPrefixLength + section.byteCount + Self.maximumLineOverhead * section.count
        output.append(addingCapacity: limit) { span in
            span.withUnsafeMutableBufferPointer { buffer, count in
                count = encode(section, &progress, UnsafeMutableRawBufferPointer(buffer))
            }
        }
        note(progress)
    }

    /// Writes prefix and lines and returns how many bytes they take.
    private mutating func encode(
        _ section: borrowing FieldSection, _ progress: inout Progress, _ buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        // What the prefix says is known only behind the lines; nearly always it takes two bytes.
        let usualLength = 2
        var writer = ByteWriter(UnsafeMutableRawBufferPointer(rebasing: buffer[usualLength...]))
        section.forEachUnsafeLine { encode($0, &progress, &writer) }
        // RFC 9204 section 4.5.1.2: with no references any base will do, and no delta is the shortest.
        let base = progress.requiredInsertCount == 0 ? 0 : progress.base
        let prefix = FieldSectionPrefix(requiredInsertCount: progress.requiredInsertCount, base: base)
        let entries = FieldSectionPrefix.maximumEntries(maximumTableCapacity)
        let length = prefix.length(maximumEntries: entries)
        if length != usualLength, let start = buffer.baseAddress {
            (start + length).copyMemory(from: start + usualLength, byteCount: writer.count)
        }
        var prefixWriter = ByteWriter(UnsafeMutableRawBufferPointer(rebasing: buffer[..<length]))
        prefix.encode(into: &prefixWriter, maximumEntries: entries)
        return length + writer.count
    }

    private mutating func note(_ progress: Progress) {
        guard progress.requiredInsertCount > 0 else { return }
        table.addReference(progress.oldestReference)
        outstanding.append(
            OutstandingSections.Section(
                stream: progress.stream, requiredInsertCount: progress.requiredInsertCount,
                oldestReference: progress.oldestReference))
        guard progress.requiredInsertCount > knownReceivedCount else { return }
        blocking.insert(progress.stream, requiredInsertCount: progress.requiredInsertCount)
    }

    private mutating func encode(
        _ line: UnsafeFieldLine, _ progress: inout Progress, _ writer: inout ByteWriter
    ) {
        let nameHash = ByteHash.hash(line.name)
        let staticName = StaticTableIndex.name(line.name, hash: nameHash)
        let rule = IndexingRule.rule(for: line, staticName: staticName)
        let lineHash = rule == .never ? 0 : ByteHash.combine(nameHash, ByteHash.hash(line.value))
        let hashed = HashedLine(line: line, nameHash: nameHash, lineHash: lineHash, staticName: staticName)
        guard rule != .never else { return encodeLiteral(hashed, neverIndexed: true, &progress, &writer) }
        if staticName != nil,
            let index = StaticTableIndex.line(name: line.name, value: line.value, hash: lineHash)
        {
            return writer.writeIndexed(static: index)
        }
        if let index = dynamicReference(hashed, rule, &progress) {
            return writer.writeIndexed(dynamic: index, base: progress.base)
        }
        encodeLiteral(hashed, neverIndexed: false, &progress, &writer)
    }

    private func encodeLiteral(
        _ hashed: HashedLine, neverIndexed: Bool, _ progress: inout Progress, _ writer: inout ByteWriter
    ) {
        let value = hashed.line.value
        if let index = hashed.staticName {
            writer.writeLiteral(staticName: index, value: value, neverIndexed: neverIndexed)
        } else if let index = dynamicName(hashed, progress) {
            progress.refer(to: index)
            writer.writeLiteral(
                dynamicName: index, base: progress.base, value: value, neverIndexed: neverIndexed)
        } else {
            writer.writeLiteral(name: hashed.line.name, value: value, neverIndexed: neverIndexed)
        }
    }
}

// MARK: The dynamic table

extension QPACKEncoder {
    /// An entry to take a literal's name from: not worth the risk of blocking a stream.
    private func dynamicName(_ hashed: HashedLine, _ progress: Progress) -> UInt64? {
        guard progress.mayRefer, let index = table.name(hashed.line.name, hashed.nameHash),
            index < max(knownReceivedCount, progress.requiredInsertCount), !table.isDraining(index)
        else { return nil }
        return index
    }

    /// An entry to stand for the line, found or inserted; nil when a literal must do.
    private mutating func dynamicReference(
        _ hashed: HashedLine, _ rule: IndexingRule, _ progress: inout Progress
    ) -> UInt64? {
        guard progress.mayRefer else { return nil }
        guard let newest = table.line(hashed.line, hashed.lineHash) else {
            return reference(insert(hashed, rule, progress), &progress)
        }
        guard progress.mayBlock else { return acknowledgedReference(hashed, newest: newest, &progress) }
        guard table.isDraining(newest), let newer = duplicate(newest, progress) else {
            return reference(newest, &progress)
        }
        return reference(newer, &progress)
    }

    /// An entry that the decoder is known to have. If it is draining it is duplicated for sections to come,
    /// unless that was done already.
    private mutating func acknowledgedReference(
        _ hashed: HashedLine, newest: UInt64, _ progress: inout Progress
    ) -> UInt64? {
        guard let known = table.line(hashed.line, hashed.lineHash, before: knownReceivedCount) else {
            return nil
        }
        progress.refer(to: known)
        if known == newest, table.isDraining(known) { _ = duplicate(known, progress) }
        return known
    }

    /// Notes that the section refers to `index`, unless that could block a stream too many (RFC 9204 section
    /// 2.1.2).
    private func reference(_ index: UInt64?, _ progress: inout Progress) -> UInt64? {
        guard let index, progress.mayBlock || index < knownReceivedCount else { return nil }
        progress.refer(to: index)
        return index
    }

    private mutating func insert(_ hashed: HashedLine, _ rule: IndexingRule, _ progress: Progress) -> UInt64?
    {
        let isRepeated = history.note(hashed.lineHash)
        // An insert that can't be referred to at once costs a line more; only what comes again is worth it.
        guard isRepeated || rule == .atOnce && progress.mayBlock else { return nil }
        // A line that takes half the table would drive out all others.
        guard hashed.tableSize <= table.capacity / 2, canInsert(hashed.tableSize, progress) else {
            return nil
        }
        announceCapacity()
        writeInsert(hashed)
        return table.insert(hashed.line, nameHash: hashed.nameHash, lineHash: hashed.lineHash)
    }

    private mutating func duplicate(_ index: UInt64, _ progress: Progress) -> UInt64? {
        guard canInsert(table.table.slot(index).size, progress) else { return nil }
        let relativeIndex = table.insertCount - 1 - index
        encoderStream.append(atMost: PrefixedInteger.maximumLength + 1) {
            $0.writeDuplicate(relativeIndex: relativeIndex)
        }
        return table.duplicate(index)
    }

    private func canInsert(_ size: Int, _ progress: Progress) -> Bool {
        let length = EncoderInstruction.maximumLength(size - DynamicTable.overheadPerEntry)
        return encoderStream.count + length <= encoderStreamCredit
            && table.canMakeRoom(
                for: size, knownReceivedCount: knownReceivedCount, oldestReference: progress.oldestReference)
    }

    /// Says how large the table is, ahead of the first insert: until then nobody needs an encoder stream.
    private mutating func announceCapacity() {
        guard !isCapacityAnnounced else { return }
        isCapacityAnnounced = true
        let capacity = table.capacity
        encoderStream.append(atMost: PrefixedInteger.maximumLength + 1) { $0.writeSetCapacity(capacity) }
    }

    private mutating func writeInsert(_ hashed: HashedLine) {
        let (line, count) = (hashed.line, hashed.tableSize)
        if let index = hashed.staticName {
            encoderStream.append(atMost: EncoderInstruction.maximumLength(count)) {
                $0.writeInsert(staticName: index, value: line.value)
            }
        } else if let index = table.name(line.name, hashed.nameHash) {
            let relativeIndex = table.insertCount - 1 - index
            encoderStream.append(atMost: EncoderInstruction.maximumLength(count)) {
                $0.writeInsert(dynamicName: relativeIndex, value: line.value)
            }
        } else {
            encoderStream.append(atMost: EncoderInstruction.maximumLength(count)) {
                $0.writeInsert(name: line.name, value: line.value)
            }
        }
    }
}

// MARK: Streams

extension QPACKEncoder {
    /// Whether ``takeEncoderStreamBytes(into:)`` would append anything.
    public var hasEncoderStreamBytes: Bool { !encoderStream.isEmpty }

    /// Appends what is to be sent on the encoder stream, and forgets it.
    public mutating func takeEncoderStreamBytes(into output: inout [UInt8]) {
        output.append(contentsOf: encoderStream)
        encoderStream.removeAll(keepingCapacity: true)
    }

    /// Takes what came on the peer's decoder stream, cut anywhere.
    public mutating func receiveDecoderStream(_ bytes: UnsafeRawBufferPointer) throws(QPACKError) {
        guard !partialInstruction.isEmpty else {
            let used = try executeInstructions(bytes)
            return partialInstruction.keep(bytes[used...])
        }
        let joined = partialInstruction.take(appending: bytes)
        let used = try joined.withUnsafeBufferPointer { (joined) throws(QPACKError) in
            try executeInstructions(UnsafeRawBufferPointer(joined))
        }
        partialInstruction.keep(joined, used: used)
    }

    /// How many streams were cancelled since the last call that refer to nothing. A peer has a right to about
    /// one for each stream; more are only there to be looked for.
    public mutating func takeIdleCancellations() -> Int {
        defer { idleCancellations = 0 }
        return idleCancellations
    }

    /// Executes all that are there as a whole, and returns how many bytes they took.
    private mutating func executeInstructions(_ bytes: UnsafeRawBufferPointer) throws(QPACKError) -> Int {
        var reader = ByteReader(bytes)
        while !reader.isAtEnd {
            let start = bytes.count - reader.remaining
            let instruction: DecoderInstruction
            do throws(ParseFailure) {
                instruction = try reader.readDecoderInstruction()
            } catch {
                guard case .incomplete = error else {
                    throw QPACKError(.decoderStreamError, "\(error.reason) in a decoder instruction")
                }
                return start
            }
            try execute(instruction)
        }
        return bytes.count
    }

    private mutating func execute(_ instruction: DecoderInstruction) throws(QPACKError) {
        switch instruction {
        case .sectionAcknowledgment(let stream): try acknowledge(stream)
        case .streamCancellation(let stream): cancel(stream)
        case .insertCountIncrement(let increment): try increaseReceivedCount(increment)
        }
    }

    /// RFC 9204 section 4.4.1.
    private mutating func acknowledge(_ stream: UInt64) throws(QPACKError) {
        guard let section = outstanding.removeFirst(of: stream) else {
            throw QPACKError(.decoderStreamError, "acknowledgment of no field section")
        }
        table.removeReference(section.oldestReference)
        guard section.requiredInsertCount > knownReceivedCount else { return }
        knownReceivedCount = section.requiredInsertCount
        blocking.removeAll(waitingFor: knownReceivedCount)
    }

    /// RFC 9204 section 4.4.2: the references of a stream that is read no more are gone.
    private mutating func cancel(_ stream: UInt64) {
        let count = outstanding.count
        defer { if outstanding.count == count { idleCancellations += 1 } }
        while let section = outstanding.removeFirst(of: stream) {
            table.removeReference(section.oldestReference)
        }
        blocking.remove(stream)
        cancelled.insert(stream)
    }

    /// RFC 9204 section 4.4.3: an increment is not zero, and nothing is received that was not sent.
    private mutating func increaseReceivedCount(_ increment: UInt64) throws(QPACKError) {
        guard increment > 0, increment <= table.insertCount - knownReceivedCount else {
            throw QPACKError(.decoderStreamError, "insert count increment of zero or beyond what was sent")
        }
        knownReceivedCount += increment
        blocking.removeAll(waitingFor: knownReceivedCount)
    }
}
