import GodwitWire

/// An input of the QPACK target: two bytes choose the limits, then steps follow as in ``HTTP3Script``.
struct QPACKScript {
    enum Action: UInt8, CaseIterable {
        /// The encoder encodes a section made of the bytes.
        case encode
        /// The first bytes of the encoder stream arrive.
        case encoderStream
        /// The first bytes of the decoder stream arrive.
        case decoderStream
        /// A section arrives, though others may have been sent before.
        case section
        /// The decoder gives up a stream.
        case cancel
        /// Bytes arrive on the encoder stream that the encoder has not written.
        case forgedEncoderStream
        /// Bytes arrive on the decoder stream that the decoder has not written.
        case forgedDecoderStream
        /// A section arrives that the encoder has not written.
        case forgedSection
        /// The credit of the encoder stream changes.
        case credit
        /// All that is on its way arrives.
        case settle
    }

    struct Step {
        var action: Action
        var details: UInt8
        var bytes: UnsafeRawBufferPointer

        /// Few streams, so that they meet again.
        var stream: UInt64 { UInt64(details & 0x0f) * 4 }
    }

    let tableCapacity: Int
    let peerTableCapacity: UInt64
    let blockedStreams: Int
    let sectionSize: Int
    private var reader: ByteReader
    private var stepsLeft = 96

    init(_ input: UnsafeRawBufferPointer) {
        reader = ByteReader(input)
        let (first, second) = (reader.readUInt8() ?? 0, reader.readUInt8() ?? 0)
        let capacities = [0, 64, 100, 160, 300, 512, 1024, 4096]
        tableCapacity = capacities[Int(first & 0x07)]
        peerTableCapacity = UInt64(capacities[Int(first >> 3 & 0x07)])
        blockedStreams = [0, 1, 3, 100][Int(first >> 6)]
        sectionSize = 64 << Int(second & 0x07)
    }

    mutating func next() -> Step? {
        guard stepsLeft > 0, let action = reader.readUInt8() else { return nil }
        stepsLeft -= 1
        let details = reader.readUInt8() ?? 0
        return Step(
            action: Action(rawValue: action % UInt8(Action.allCases.count))!, details: details,
            bytes: reader.readSome())
    }

    /// Writes a step, for the seeds.
    static func step(_ action: Action, _ details: UInt8 = 0, _ bytes: [UInt8] = []) -> [UInt8] {
        [action.rawValue, details]
            + written { writer in bytes.withUnsafeBytes { writer.writeLengthPrefixedBytes($0) } }
    }
}
