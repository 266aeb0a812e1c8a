import GodwitQPACK
import GodwitWire

/// Encoder and decoder, and what is on its way between them.
///
/// A second decoder gets the encoder stream byte by byte and has to come to the same.
struct FuzzedQPACKPair {
    private struct Section {
        let stream: UInt64
        let bytes: [UInt8]
        /// What it should be read as; nil for a forged one.
        let fields: FieldSection?
    }

    private var encoder: QPACKEncoder
    private var decoder: QPACKDecoder
    private var twin: QPACKDecoder
    private let blockedStreams: Int
    private var encoderStream: [UInt8] = []
    private var decoderStream: [UInt8] = []
    private var sent: [Section] = []
    private var blocked: [UInt64: Section] = [:]
    /// The streams that the decoder has given up, or that failed.
    private var cancelled: Set<UInt64> = []
    private var isHonest = true
    private var hasFailed = false

    init(_ script: QPACKScript) {
        encoder = QPACKEncoder(
            tableCapacityLimit: script.tableCapacity, blockedStreamLimit: script.blockedStreams)
        decoder = QPACKDecoder(
            maximumTableCapacity: Int(script.peerTableCapacity), maximumBlockedStreams: script.blockedStreams,
            maximumFieldSectionSize: script.sectionSize)
        twin = decoder
        blockedStreams = script.blockedStreams
        let settings: Void? = try? encoder.applyPeerSettings(
            maximumTableCapacity: script.peerTableCapacity, blockedStreams: UInt64(script.blockedStreams))
        require(settings != nil, "first settings are taken")
    }

    // MARK: The encoder

    mutating func setCredit(_ credit: Int) { encoder.encoderStreamCredit = credit }

    mutating func encode(_ fields: FieldSection, stream: UInt64) {
        let waiting = encoderStream.count
        var bytes: [UInt8] = []
        encoder.encode(fields, stream: stream, into: &bytes)
        encoder.takeEncoderStreamBytes(into: &encoderStream)
        require(
            encoderStream.count - waiting <= max(0, encoder.encoderStreamCredit),
            "no more instructions than there is credit for (RFC 9204 section 2.1.3)")
        require(
            encoder.blockingStreamCount <= blockedStreams,
            "no more streams are risked than may be blocked (RFC 9204 section 2.1.2)")
        if !cancelled.contains(stream) { sent.append(Section(stream: stream, bytes: bytes, fields: fields)) }
    }

    mutating func deliverDecoderStream(count: Int) {
        let bytes = Array(decoderStream.prefix(count))
        decoderStream.removeFirst(bytes.count)
        receiveDecoderStream(bytes)
    }

    mutating func forgeDecoderStream(_ bytes: [UInt8]) {
        isHonest = false
        receiveDecoderStream(bytes)
    }

    private mutating func receiveDecoderStream(_ bytes: [UInt8]) {
        guard !hasFailed else { return }
        let taken: Void? = bytes.withUnsafeBytes { try? encoder.receiveDecoderStream($0) }
        if taken == nil { fail() }
    }

    // MARK: The decoder

    mutating func deliverEncoderStream(count: Int) {
        let bytes = Array(encoderStream.prefix(count))
        encoderStream.removeFirst(bytes.count)
        receiveEncoderStream(bytes)
    }

    mutating func forgeEncoderStream(_ bytes: [UInt8]) {
        isHonest = false
        receiveEncoderStream(bytes)
    }

    private mutating func receiveEncoderStream(_ bytes: [UInt8]) {
        guard !hasFailed else { return }
        let taken: Void? = bytes.withUnsafeBytes { try? decoder.receiveEncoderStream($0) }
        let takenSingly = bytes.reduce(true) { isFine, byte in
            isFine && withUnsafeBytes(of: byte) { (try? twin.receiveEncoderStream($0)) != nil }
        }
        require((taken != nil) == takenSingly, "an instruction means the same wherever it was cut")
        guard taken != nil else { return fail() }
        require(decoder.insertCount == twin.insertCount, "both tables have the same entries")
        unblock()
        takeDecoderStream()
    }

    mutating func deliverSection(at position: Int) {
        guard !sent.isEmpty else { return }
        let candidate = sent[position % sent.count]
        // Sections of one stream come in their order, and none behind one that waits.
        let index = sent.firstIndex { $0.stream == candidate.stream } ?? 0
        guard blocked[candidate.stream] == nil else { return }
        decode(sent.remove(at: index))
        takeDecoderStream()
    }

    mutating func forgeSection(_ bytes: [UInt8], stream: UInt64) {
        guard blocked[stream] == nil, !cancelled.contains(stream) else { return }
        isHonest = false
        decode(Section(stream: stream, bytes: bytes, fields: nil))
        takeDecoderStream()
    }

    mutating func cancel(_ stream: UInt64) {
        guard !cancelled.contains(stream) else { return }
        cancelled.insert(stream)
        sent.removeAll { $0.stream == stream }
        blocked[stream] = nil
        decoder.cancel(stream: stream)
        twin.cancel(stream: stream)
        takeDecoderStream()
    }

    private mutating func decode(_ section: Section) {
        guard !hasFailed else { return }
        var (fields, twinFields) = (FieldSection(), FieldSection())
        let result = Self.decode(section, &decoder, &fields)
        let twinResult = Self.decode(section, &twin, &twinFields)
        require(result == twinResult && fields == twinFields, "tables that are the same decode the same")
        require(decoder.blockedStreamCount <= blockedStreams, "no more streams are blocked than may be")
        switch result {
        case .success(.decoded): check(fields, section)
        case .success(.blocked): blocked[section.stream] = section
        case .failure(let error) where error.kind == .fieldSectionTooLarge: check(tooLarge: section)
        case .failure(let error):
            if error.scope == .stream { cancel(section.stream) } else { fail() }
        }
    }

    private static func decode(
        _ section: Section, _ decoder: inout QPACKDecoder, _ fields: inout FieldSection
    ) -> Result<QPACKDecoder.Outcome, QPACKError> {
        section.bytes.withUnsafeBytes { bytes in
            do throws(QPACKError) {
                return .success(try decoder.decode(bytes, stream: section.stream, into: &fields))
            } catch {
                return .failure(error)
            }
        }
    }

    private func check(_ fields: FieldSection, _ section: Section) {
        require(fields.size <= decoder.maximumFieldSectionSize, "no section is larger than the limit")
        guard isHonest, let sent = section.fields else { return }
        require(QPACKFuzzing.sameLines(fields, sent), "a section is read as it was written")
    }

    private func check(tooLarge section: Section) {
        guard isHonest, let sent = section.fields else { return }
        require(sent.size > decoder.maximumFieldSectionSize, "only what is too large is refused")
    }

    private mutating func unblock() {
        while !hasFailed, let stream = decoder.nextUnblocked() {
            require(twin.nextUnblocked() == stream, "the same streams go on")
            guard let section = blocked.removeValue(forKey: stream) else { continue }
            decode(section)
        }
    }

    private mutating func takeDecoderStream() {
        var (bytes, twinBytes): ([UInt8], [UInt8]) = ([], [])
        decoder.takeDecoderStreamBytes(into: &bytes)
        twin.takeDecoderStreamBytes(into: &twinBytes)
        require(hasFailed || bytes == twinBytes, "both say the same")
        require(!decoder.hasDecoderStreamBytes, "what was taken is gone")
        decoderStream += bytes
    }

    // MARK: The end

    private mutating func fail() {
        require(!isHonest, "no error where nothing was forged")
        hasFailed = true
    }

    /// All that is on its way arrives.
    mutating func settle() {
        deliverEncoderStream(count: .max)
        while !sent.isEmpty, !hasFailed {
            let waiting = sent.count
            for position in 0..<waiting { deliverSection(at: position) }
            guard sent.count < waiting else { break }
        }
        deliverDecoderStream(count: .max)
    }

    func finish() {
        guard isHonest else { return }
        require(sent.isEmpty && blocked.isEmpty, "nothing waits when all has arrived")
        guard cancelled.isEmpty else { return }
        require(encoder.outstandingSectionCount == 0, "all sections are acknowledged")
        require(encoder.blockingStreamCount == 0, "nothing can block what was received")
    }
}
