import GodwitWire

/// An input of the endpoint targets: how the connection begins, and what happens then.
///
/// Every string of bytes is a script, so that no mutation is wasted: two bytes say how the connection begins, then
/// there may be transport parameters, then steps follow: a byte for what happens, a byte for the time before it, a
/// byte with details, a length as a variable-length integer, and so many bytes (or as many as there are).
struct FuzzScript {
    struct Beginning: OptionSet {
        let rawValue: UInt8

        static let retry = Beginning(rawValue: 1)
        static let datagrams = Beginning(rawValue: 2)
        static let smallWindows = Beginning(rawValue: 4)
        static let resumption = Beginning(rawValue: 8)
        static let preferredAddress = Beginning(rawValue: 16)
        static let version2 = Beginning(rawValue: 32)
        static let parameters = Beginning(rawValue: 64)
        static let traffic = Beginning(rawValue: 128)
    }

    enum Action: UInt8, CaseIterable {
        /// A datagram as it is.
        case datagram
        /// A packet under the peer's keys, with the bytes for its frames.
        case initialPacket
        case earlyPacket
        case handshakePacket
        case packet
        /// A 1-RTT packet from another address of the peer's.
        case packetFromElsewhere
        /// The bytes behind a long header with the connection ids of the connection, an integrity tag behind them if
        /// it is a Retry packet.
        case longHeader
        /// What the peer has to send arrives; and the answers.
        case exchange
        /// The same, but the bytes are laid over each of the peer's datagrams.
        case garbledExchange
        /// What either has to send is lost.
        case loss
        /// An older datagram of the peer's arrives again.
        case replay
        /// Nothing happens until the next deadlines.
        case wait
        /// The application of the endpoint under test does something.
        case application
        /// The application of the peer does something.
        case peerApplication
        /// The process was frozen.
        case freeze
    }

    struct Step {
        var action: Action
        var delay: TimeSpan
        var details: UInt8
        var bytes: UnsafeRawBufferPointer
    }

    let beginning: Beginning
    /// How many exchanges the handshake has gone through when the steps begin.
    let headStart: Int
    /// Transport parameters that take the place of the peer's own.
    let parameters: [UInt8]
    private var reader: ByteReader

    /// The most steps that are taken: enough for any story, and an end to a long input.
    private var stepsLeft = 64

    init(_ input: UnsafeRawBufferPointer) {
        reader = ByteReader(input)
        beginning = Beginning(rawValue: reader.readUInt8() ?? 0)
        headStart = Int((reader.readUInt8() ?? 0) % 8)
        parameters = beginning.contains(.parameters) ? [UInt8](reader.readSome()) : []
    }

    mutating func next() -> Step? {
        guard stepsLeft > 0, let action = reader.readUInt8() else { return nil }
        stepsLeft -= 1
        let delay = reader.readUInt8() ?? 0
        let details = reader.readUInt8() ?? 0
        return Step(
            action: Action(rawValue: action % UInt8(Action.allCases.count))!,
            delay: delay == 0 ? .zero : .microseconds(1 << Int64(delay % 32)), details: details,
            bytes: reader.readSome())
    }

    /// Writes a step, for the seeds.
    static func step(_ action: Action, delay: UInt8 = 10, details: UInt8 = 0, _ bytes: [UInt8] = [])
        -> [UInt8]
    {
        [action.rawValue, delay, details]
            + written { writer in
                bytes.withUnsafeBytes { writer.writeLengthPrefixedBytes($0) }
            }
    }
}

extension ByteReader {
    /// Bytes behind their length, or as many of them as there are.
    mutating func readSome() -> UnsafeRawBufferPointer {
        guard let length = readVarint() else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return readBytes(Int(min(length, UInt64(remaining)))) ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }
}
