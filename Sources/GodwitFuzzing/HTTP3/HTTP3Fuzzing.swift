import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire

/// A machine of either role goes through a script. Whatever comes, what it tells makes sense, it tells the same
/// however the bytes were cut, and in the end it comes to rest.
enum HTTP3Fuzzing {
    /// How many request streams a script can reach.
    static let requestIndexes: UInt64 = 256

    static func run(_ input: UnsafeRawBufferPointer) {
        var script = HTTP3Script(input)
        var pair = FuzzedMachinePair(script.beginning)
        while let step = script.next() { take(step, &pair) }
        pair.finish()
    }

    private static func take(_ step: HTTP3Script.Step, _ pair: inout FuzzedMachinePair) {
        let peer = pair.role.peer
        let id = step.stream(peer: peer)
        switch step.action {
        case .bytes: pair.deliver(step.bytes, on: step.anyStream(peer: peer), fin: step.fin)
        case .frame: pair.deliver(frame(step.bytes), on: id, fin: step.fin)
        case .fieldSection: pair.deliver(fieldSection(step.bytes), on: id, fin: step.fin)
        case .exchange: pair.exchange()
        case .piece: pair.deliverPiece(on: id, count: max(1, step.bytes.count))
        case .garbledPiece: pair.deliverPiece(on: id, count: step.bytes.count) { garble($0, step.bytes) }
        case .answer: pair.answer(atMost: Int(step.details) + 1)
        case .peerApplication: pair.actAsPeer(step.details, step.bytes)
        case .application: pair.act(step.details, step.bytes)
        case .reset: pair.reset(step.anyStream(peer: peer), code: UInt64(step.bytes.count) + 0x100)
        case .stopSending:
            let id = StreamID(rawValue: UInt64(step.details))
            pair.tell { $0.receiveStopSending(of: id, code: UInt64(step.bytes.count) + 0x100) }
        case .streamOpened: open(step, &pair)
        case .datagram: pair.deliverDatagram(step.bytes)
        }
    }

    /// The first byte chooses among the types that mean something, or is the type.
    private static func frame(_ bytes: [UInt8]) -> [UInt8] {
        let types: [UInt64] = [0, 1, 3, 4, 5, 7, 0xd, 0xf0700, 0xf0701, 0x21]
        let first = UInt64(bytes.first ?? 0)
        return written { writer in
            writer.writeVarint(first < 0x40 ? types[Int(first) % types.count] : first)
            bytes.dropFirst().prefix(1500).withUnsafeBytes { writer.writeLengthPrefixedBytes($0) }
        }
    }

    /// The peer's machine is not asked: the section needs no dynamic table, and need not be one that may be sent.
    private static func fieldSection(_ bytes: [UInt8]) -> [UInt8] {
        var encoder = QPACKEncoder(tableCapacityLimit: 0)
        var section: [UInt8] = []
        encoder.encode(FuzzedSections.section(bytes), stream: 0, into: &section)
        let header = written { writer in
            writer.writeVarint(1)
            writer.writeVarint(UInt64(section.count))
        }
        return header + section
    }

    private static func garble(_ piece: [UInt8], _ mask: [UInt8]) -> [UInt8] {
        zip(piece, mask).map { $0 ^ $1 }
    }

    private static func open(_ step: HTTP3Script.Step, _ pair: inout FuzzedMachinePair) {
        let isEarly = step.bytes.isEmpty
        // What a transport never tells is not worth many inputs: one id that is far too high.
        let id = StreamID(rawValue: step.details == 0xff ? 1 << 40 : UInt64(step.details))
        pair.tell { $0.streamOpened(id, inEarlyData: isEarly) }
    }
}
