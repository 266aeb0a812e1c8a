import Foundation
import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

/// Bytes on their way on one stream in one direction.
struct Pipe {
    var bytes: [UInt8] = []
    var isEnded = false
    var isDone = false

    var hasWork: Bool { !bytes.isEmpty || isEnded && !isDone }
}

/// What one side made of a message that came.
struct ReceivedMessage: Equatable {
    var interim: [[String]] = []
    var head: [String] = []
    var content: [UInt8] = []
    var trailers: [String]?
    var isEnded = false
}

/// One side of a pair: its machine, what it sends, and what it received.
struct PairSide {
    var machine: HTTP3Connection
    var outgoing: [StreamID: Pipe] = [:]
    var received: [StreamID: ReceivedMessage] = [:]
    var others: [HTTP3Action] = []

    init(_ role: Role, _ configure: (inout HTTP3Configuration) -> Void) {
        var configuration = HTTP3Configuration()
        configure(&configuration)
        machine = HTTP3Connection(role: role, configuration: configuration)
        machine.start(.own(by: role))
    }

    mutating func send(_ bytes: [UInt8], on id: StreamID, fin: Bool) {
        outgoing[id, default: Pipe()].bytes += bytes
        if fin { outgoing[id, default: Pipe()].isEnded = true }
    }

    mutating func flush(_ generator: inout SeededGenerator) {
        var generator2 = generator
        var sent: [(StreamID, [UInt8])] = []
        machine.writePendingBytes { id, bytes, _ in
            let count = Int.random(in: 0...bytes.count, using: &generator2)
            sent.append((id, Array(bytes.prefix(count))))
            return count
        }
        generator = generator2
        for (id, bytes) in sent { send(bytes, on: id, fin: false) }
    }

    /// Takes the actions that refer to `bytes`.
    mutating func takeActions(_ bytes: UnsafeRawBufferPointer) {
        while let action = machine.nextAction() {
            switch action {
            case .request(let id, let head): received[id, default: .init()].head = head.fields.pairs
            case .informationalResponse(let id, let head):
                received[id, default: .init()].interim.append(head.fields.pairs)
            case .response(let id, let head): received[id, default: .init()].head = head.fields.pairs
            case .data(let id, let range): received[id, default: .init()].content += bytes[range]
            case .trailers(let id, let fields): received[id, default: .init()].trailers = fields.pairs
            case .end(let id): received[id, default: .init()].isEnded = true
            case .settings, .resume: break
            default: others.append(action)
            }
        }
    }

    /// Writes the machine to bytes and reads it back.
    mutating func freeze() throws {
        machine = try JSONDecoder().decode(HTTP3Connection.self, from: JSONEncoder().encode(machine))
    }
}

/// A client and a server between which bytes travel in pieces, streams overtaking each other.
struct PairWorld {
    var client: PairSide
    var server: PairSide
    var generator: SeededGenerator

    init(seed: UInt64, _ configure: (inout HTTP3Configuration) -> Void = { _ in }) {
        client = PairSide(.client, configure)
        server = PairSide(.server, configure)
        generator = SeededGenerator(seed: seed)
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    /// Delivers a piece somewhere; false when nothing is on its way.
    mutating func step() -> Bool {
        client.flush(&generator)
        server.flush(&generator)
        let goesUp = number(0...1) == 0
        return goesUp
            ? Self.deliver(&client, &server, &generator) || Self.deliver(&server, &client, &generator)
            : Self.deliver(&server, &client, &generator) || Self.deliver(&client, &server, &generator)
    }

    private static func deliver(
        _ from: inout PairSide, _ to: inout PairSide, _ generator: inout SeededGenerator
    ) -> Bool {
        let ids = from.outgoing.filter { $0.value.hasWork }.keys.sorted()
        guard !ids.isEmpty else { return from.machine.hasPendingBytes }
        let id = ids[Int.random(in: 0..<ids.count, using: &generator)]
        var pipe = from.outgoing[id] ?? Pipe()
        let count = Int.random(in: 0...min(pipe.bytes.count, 200), using: &generator)
        let isLast = count == pipe.bytes.count && pipe.isEnded
        let piece = Array(pipe.bytes.prefix(count))
        let consumed = piece.withUnsafeBytes { bytes in
            let consumed = to.machine.receive(bytes, on: id, fin: isLast)
            to.takeActions(bytes)
            return consumed
        }
        pipe.bytes.removeFirst(consumed)
        pipe.isDone = isLast && consumed == count
        from.outgoing[id] = pipe
        return true
    }
}
