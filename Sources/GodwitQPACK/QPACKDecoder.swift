import GodwitWire

/// Decodes the field sections of a connection (RFC 9204 section 2.2).
///
/// It is fed what comes on the peer's encoder stream and the field sections of all other streams, in whatever
/// order they come, and has bytes for our decoder stream. Give those to the transport after each batch of
/// calls: the fewer the calls of ``takeDecoderStreamBytes(into:)``, the more is said in one instruction.
///
/// A peer can make it hold one table of `maximumTableCapacity`, one instruction that fits the table, a note
/// for each of `maximumBlockedStreams`, and a bounded number of instructions that wait to be taken.
public struct QPACKDecoder: Sendable {
    /// What became of a field section.
    public enum Outcome: Hashable, Sendable {
        /// The section has all its lines.
        case decoded
        /// Inserts are missing. Keep the bytes and the credit for them (RFC 9204 section 2.2.1), and decode
        /// them again when ``QPACKDecoder/nextUnblocked()`` names the stream.
        case blocked
    }

    /// The limit of the table that the peer builds here: our SETTINGS_QPACK_MAX_TABLE_CAPACITY, in bytes.
    public let maximumTableCapacity: Int
    /// How many streams may be blocked at once: our SETTINGS_QPACK_BLOCKED_STREAMS.
    public let maximumBlockedStreams: Int
    /// The largest section that is accepted: our SETTINGS_MAX_FIELD_SECTION_SIZE (RFC 9114 section 4.2.2).
    public let maximumFieldSectionSize: Int

    var table = DynamicTable()
    var blocked = BlockedStreams()
    /// How many inserts the peer knows to have arrived, or will from what waits in `decoderStream`: its Known
    /// Received Count (RFC 9204 section 2.1.4).
    var acknowledgedInserts: UInt64 = 0
    var decoderStream: [UInt8] = []
    var partialInstruction = PartialInstruction()
    var isOverloaded = false

    static let sizes = 0...1 << 30

    /// A decoder with an empty table, and the limits that our SETTINGS frame has told or will tell the peer;
    /// at most 2^30 bytes each.
    public init(maximumTableCapacity: Int, maximumBlockedStreams: Int, maximumFieldSectionSize: Int) {
        precondition(Self.sizes ~= maximumTableCapacity && Self.sizes ~= maximumFieldSectionSize)
        precondition(maximumBlockedStreams >= 0)
        self.maximumTableCapacity = maximumTableCapacity
        self.maximumBlockedStreams = maximumBlockedStreams
        self.maximumFieldSectionSize = maximumFieldSectionSize
    }

    /// How many entries the peer has inserted so far.
    public var insertCount: UInt64 { table.insertCount }
    /// How many streams are blocked.
    public var blockedStreamCount: Int { blocked.count }
}

// MARK: Field sections

extension QPACKDecoder {
    /// Decodes a field section of `stream` into `section`, whose lines it replaces.
    ///
    /// After `QPACKError.Kind.fieldSectionTooLarge` everything may go on; the section counts as read. Any
    /// other error of scope `stream` is followed by ``cancel(stream:)``.
    public mutating func decode(
        _ bytes: UnsafeRawBufferPointer, stream: UInt64, into section: inout FieldSection
    ) throws(QPACKError) -> Outcome {
        section.removeAll(keepingCapacity: true)
        try checkLoad()
        var reader = ByteReader(bytes)
        let prefix = try decodePrefix(&reader)
        guard prefix.requiredInsertCount <= table.insertCount else {
            try block(stream, prefix.requiredInsertCount)
            return .blocked
        }
        blocked.remove(stream)
        try decodeLines(&reader, prefix, stream, into: &section)
        acknowledge(stream, prefix.requiredInsertCount)
        return .decoded
    }

    /// A stream whose field section no longer waits for inserts, and that is not blocked any more. Call it
    /// until nil after each ``receiveEncoderStream(_:)``.
    public mutating func nextUnblocked() -> UInt64? { blocked.removeFirst(waitingFor: table.insertCount) }

    /// Forgets a stream that was reset, or that we no longer read, before all its field sections were decoded
    /// (RFC 9204 section 2.2.2.2).
    public mutating func cancel(stream: UInt64) {
        blocked.remove(stream)
        // Without a table there can be no references to release, and the instruction may be left out.
        guard maximumTableCapacity > 0 else { return }
        send(.streamCancellation(stream: stream))
    }

    private func decodePrefix(_ reader: inout ByteReader) throws(QPACKError) -> FieldSectionPrefix {
        do throws(PrefixFailure) {
            return try FieldSectionPrefix.decode(
                &reader, insertCount: table.insertCount,
                maximumEntries: FieldSectionPrefix.maximumEntries(UInt64(maximumTableCapacity)))
        } catch {
            switch error {
            case .unparsable(let failure): throw QPACKError(inFieldSection: failure)
            case .impossibleInsertCount:
                throw QPACKError(.decompressionFailed, "impossible required insert count")
            case .negativeBase: throw QPACKError(.decompressionFailed, "negative base")
            }
        }
    }

    private mutating func decodeLines(
        _ reader: inout ByteReader, _ prefix: FieldSectionPrefix, _ stream: UInt64,
        into section: inout FieldSection
    ) throws(QPACKError) {
        do throws(QPACKError) {
            let lines = FieldLineDecoding(prefix: prefix, sizeLimit: maximumFieldSectionSize)
            try lines.decode(&reader, table, into: &section)
        } catch {
            section.removeAll(keepingCapacity: true)
            // What the section refers to is needed no longer, which is all that the encoder wants to know.
            if error.kind == .fieldSectionTooLarge { acknowledge(stream, prefix.requiredInsertCount) }
            throw error
        }
    }

    /// RFC 9204 section 2.1.2: more blocked streams than promised are an error.
    private mutating func block(_ stream: UInt64, _ requiredInsertCount: UInt64) throws(QPACKError) {
        guard blocked.contains(stream) || blocked.count < maximumBlockedStreams else {
            throw QPACKError(.decompressionFailed, "more blocked streams than allowed")
        }
        blocked.insert(stream, requiredInsertCount: requiredInsertCount)
    }

    /// RFC 9204 section 4.4.1: sections without required inserts are not acknowledged.
    private mutating func acknowledge(_ stream: UInt64, _ requiredInsertCount: UInt64) {
        guard requiredInsertCount > 0 else { return }
        acknowledgedInserts = max(acknowledgedInserts, requiredInsertCount)
        send(.sectionAcknowledgment(stream: stream))
    }
}

// MARK: The decoder stream

extension QPACKDecoder {
    /// How many bytes of instructions may wait to be taken. A peer that gives no credit for the decoder
    /// stream while it sends field sections would make them pile up (RFC 9204 section 7.3).
    static let maximumPendingBytes = 1 << 14

    /// Whether ``takeDecoderStreamBytes(into:)`` would append anything.
    public var hasDecoderStreamBytes: Bool {
        !decoderStream.isEmpty || table.insertCount > acknowledgedInserts
    }

    /// Appends what is to be sent on the decoder stream, and forgets it. Inserts that no Section
    /// Acknowledgment has covered are acknowledged now (RFC 9204 section 2.2.2.3).
    public mutating func takeDecoderStreamBytes(into output: inout [UInt8]) {
        output.append(contentsOf: decoderStream)
        decoderStream.removeAll(keepingCapacity: true)
        guard table.insertCount > acknowledgedInserts else { return }
        output.append(.insertCountIncrement(table.insertCount - acknowledgedInserts))
        acknowledgedInserts = table.insertCount
    }

    private mutating func send(_ instruction: DecoderInstruction) {
        guard decoderStream.count < Self.maximumPendingBytes else { return isOverloaded = true }
        decoderStream.append(instruction)
    }

    private func checkLoad() throws(QPACKError) {
        guard !isOverloaded else {
            throw QPACKError(.excessiveLoad, "no credit for the instructions of the decoder stream")
        }
    }
}

// MARK: The encoder stream

extension QPACKDecoder {
    /// Takes what came on the peer's encoder stream, cut anywhere, and inserts into the table.
    public mutating func receiveEncoderStream(_ bytes: UnsafeRawBufferPointer) throws(QPACKError) {
        try checkLoad()
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

    /// Executes all that are there as a whole, and returns how many bytes they took.
    private mutating func executeInstructions(_ bytes: UnsafeRawBufferPointer) throws(QPACKError) -> Int {
        var reader = ByteReader(bytes)
        while !reader.isAtEnd {
            let start = bytes.count - reader.remaining
            let instruction: EncoderInstruction
            do throws(ParseFailure) {
                instruction = try reader.readEncoderInstruction(
                    limit: literalLimit, entryCount: table.count)
            } catch {
                guard case .incomplete = error else { throw QPACKError(onEncoderStream: error) }
                return start
            }
            try table.execute(instruction, maximumCapacity: maximumTableCapacity)
        }
        return bytes.count
    }

    /// The most bytes that name and value may take together: no code is longer than 30 bits a byte, each is
    /// filled up to a byte, and what can't fit the table is refused before it is all there.
    private var literalLimit: Int {
        max(table.capacity - DynamicTable.overheadPerEntry, 0) * HuffmanCode.maximumLength / 8 + 2
    }
}

extension QPACKError {
    init(onEncoderStream failure: ParseFailure) {
        self.init(.encoderStreamError, "\(failure.reason) in an encoder instruction")
    }

    init(inFieldSection failure: ParseFailure) {
        switch failure {
        case .noRoom: self = .fieldSectionTooLarge
        // RFC 9204 section 7.4: what is too large for us to decode ends the stream alone.
        case .tooLarge:
            self.init(.decompressionFailed, "\(failure.reason) in a field section", scope: .stream)
        case .incomplete, .invalidHuffman, .noSuchEntry:
            self.init(.decompressionFailed, "\(failure.reason) in a field section")
        }
    }
}
