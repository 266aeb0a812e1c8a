import GodwitQPACK
import GodwitWire

/// An encoder and a decoder with a network between them that delays and forges. As long as nothing is forged, every
/// section is read as it was written, and neither finds an error.
enum QPACKFuzzing {
    static func run(_ input: UnsafeRawBufferPointer) {
        var script = QPACKScript(input)
        var pair = FuzzedQPACKPair(script)
        while let step = script.next() { take(step, &pair) }
        pair.settle()
        pair.finish()
        checkRoundTrip(input)
    }

    private static func take(_ step: QPACKScript.Step, _ pair: inout FuzzedQPACKPair) {
        switch step.action {
        case .encode: pair.encode(FuzzedSections.section(step.bytes), stream: step.stream)
        case .encoderStream: pair.deliverEncoderStream(count: Int(step.details) + 1)
        case .decoderStream: pair.deliverDecoderStream(count: Int(step.details) + 1)
        case .section: pair.deliverSection(at: Int(step.details))
        case .cancel: pair.cancel(step.stream)
        case .forgedEncoderStream: pair.forgeEncoderStream([UInt8](step.bytes))
        case .forgedDecoderStream: pair.forgeDecoderStream([UInt8](step.bytes))
        case .forgedSection: pair.forgeSection([UInt8](step.bytes), stream: step.stream)
        case .credit: pair.setCredit(Int(step.details) * 16)
        case .settle: pair.settle()
        }
    }

    /// Whatever the bytes are as a section, without tables it comes out as it went in.
    private static func checkRoundTrip(_ input: UnsafeRawBufferPointer) {
        let section = FuzzedSections.section(input)
        var encoder = QPACKEncoder(tableCapacityLimit: 0, blockedStreamLimit: 0)
        var bytes: [UInt8] = []
        encoder.encode(section, stream: 0, into: &bytes)
        var decoder = QPACKDecoder(
            maximumTableCapacity: 0, maximumBlockedStreams: 0, maximumFieldSectionSize: 1 << 24)
        var decoded = FieldSection()
        let outcome = bytes.withUnsafeBytes { try? decoder.decode($0, stream: 0, into: &decoded) }
        require(outcome == .decoded, "what was encoded can be decoded")
        require(sameLines(decoded, section), "a section is read as it was written")
    }

    /// Whether names and values are the same; what must never be indexed may be marked so by the encoder itself.
    static func sameLines(_ decoded: FieldSection, _ sent: FieldSection) -> Bool {
        decoded.count == sent.count
            && zip(decoded, sent).allSatisfy { read, written in
                read.nameBytes == written.nameBytes && read.valueBytes == written.valueBytes
                    && (read.isNeverIndexed || !written.isNeverIndexed)
            }
    }
}
