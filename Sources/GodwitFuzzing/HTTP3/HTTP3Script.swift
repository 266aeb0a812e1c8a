import GodwitWire

/// An input of the HTTP/3 target: how the connection begins, and what happens then.
///
/// Every string of bytes is a script, as with ``FuzzScript``: a byte says how the connection begins; then a step is a
/// byte for what happens, a byte with details, a length as a variable-length integer, and so many bytes.
struct HTTP3Script {
    struct Beginning: OptionSet {
        let rawValue: UInt8

        /// The machine under test is a client.
        static let client = Beginning(rawValue: 1)
        /// It keeps as little as possible.
        static let smallLimits = Beginning(rawValue: 2)
        /// Extended CONNECT and datagrams are enabled on both sides.
        static let extensions = Beginning(rawValue: 4)
        /// What both sides begin with has arrived.
        static let settled = Beginning(rawValue: 8)
        /// A client remembers settings, and sends early data under them.
        static let earlyData = Beginning(rawValue: 16)
        /// The peer's machine says nothing: all there is comes from the script.
        static let silentPeer = Beginning(rawValue: 32)
    }

    enum Action: UInt8, CaseIterable {
        /// Bytes on one of the streams, behind what the peer's machine has sent on it.
        case bytes
        /// A frame around the bytes.
        case frame
        /// A HEADERS frame with whatever fields the bytes choose, as no machine would send them.
        case fieldSection
        /// All that is on its way arrives, on both sides.
        case exchange
        /// The first bytes of what the peer's machine has sent on a stream arrive.
        case piece
        /// The same, with the bytes laid over them.
        case garbledPiece
        /// Part of what the machine under test has to say arrives at the peer.
        case answer
        /// The application of the peer does something.
        case peerApplication
        /// The application of the machine under test does something.
        case application
        case reset
        case stopSending
        case streamOpened
        case datagram
    }

    struct Step {
        var action: Action
        var details: UInt8
        var bytes: [UInt8]
    }

    let beginning: Beginning
    private var reader: ByteReader
    private var stepsLeft = 64

    init(_ input: UnsafeRawBufferPointer) {
        reader = ByteReader(input)
        beginning = Beginning(rawValue: reader.readUInt8() ?? 0)
    }

    mutating func next() -> Step? {
        guard stepsLeft > 0, let action = reader.readUInt8() else { return nil }
        stepsLeft -= 1
        let details = reader.readUInt8() ?? 0
        return Step(
            action: Action(rawValue: action % UInt8(Action.allCases.count))!, details: details,
            bytes: [UInt8](reader.readSome()))
    }

    /// Writes a step, for the seeds.
    static func step(_ action: Action, _ details: UInt8 = 0, _ bytes: [UInt8] = []) -> [UInt8] {
        [action.rawValue, details]
            + written { writer in bytes.withUnsafeBytes { writer.writeLengthPrefixedBytes($0) } }
    }
}

extension HTTP3Script.Step {
    /// The stream that the step is about: one of the first request streams, or of the peer's unidirectional ones.
    func stream(peer: Role) -> StreamID {
        let number = UInt64(details & 0x0f)
        return number < 8
            ? StreamID(index: number, direction: .bidirectional, initiator: .client)
            : StreamID(index: number & 7, direction: .unidirectional, initiator: peer)
    }

    /// The same, or one that there can't be.
    func anyStream(peer: Role) -> StreamID {
        details & 0x20 == 0 ? stream(peer: peer) : StreamID(rawValue: UInt64(details))
    }

    var fin: Bool { details & 0x80 != 0 }
}
