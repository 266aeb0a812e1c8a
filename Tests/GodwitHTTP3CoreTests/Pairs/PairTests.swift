import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

@Suite("Client and server")
struct PairTests {
    /// A message made up for a test.
    private struct Message {
        var head: [(String, String)]
        var interim: [[(String, String)]] = []
        var content: [[UInt8]] = []
        var trailers: [(String, String)]?

        func expected() -> ReceivedMessage {
            func text(_ lines: [(String, String)]) -> [String] { lines.map { "\($0.0): \($0.1)" } }
            return ReceivedMessage(
                interim: interim.map(text), head: text(head), content: content.flatMap { $0 },
                trailers: trailers.map(text), isEnded: true)
        }
    }

    private func fields(_ world: inout PairWorld) -> [(String, String)] {
        (0..<world.number(0...6)).map { _ in
            (
                "x-\(world.number(0...9))",
                String(repeating: "v\(world.number(0...3))", count: world.number(0...30))
            )
        }
    }

    private func body(_ world: inout PairWorld, into message: inout Message) {
        for _ in 0..<world.number(0...3) {
            let byte = UInt8(world.number(0...255))
            message.content.append([UInt8](repeating: byte, count: world.number(0...700)))
        }
        let length = message.content.reduce(0) { $0 + $1.count }
        if world.number(0...1) == 0 { message.head.append(("content-length", "\(length)")) }
        if world.number(0...2) == 0 { message.trailers = fields(&world) }
    }

    private func request(_ world: inout PairWorld) -> Message {
        var message = Message(head: PeerBytes.post + fields(&world))
        body(&world, into: &message)
        return message
    }

    private func response(_ world: inout PairWorld) -> Message {
        var message = Message(head: PeerBytes.ok + fields(&world))
        for _ in 0..<world.number(0...2) { message.interim.append([(":status", "103")] + fields(&world)) }
        body(&world, into: &message)
        return message
    }

    private func sendBody(_ message: Message, on id: StreamID, by side: inout PairSide) throws {
        var buffer: [UInt8] = []
        for part in message.content {
            try side.machine.beginData(part.count, on: id, fin: false, into: &buffer)
            buffer += part
        }
        if let trailers = message.trailers {
            try side.machine.sendTrailers(FieldSection(trailers), on: id, into: &buffer)
        } else {
            try side.machine.finish(id)
        }
        side.send(buffer, on: id, fin: true)
    }

    private func sendRequest(_ message: Message, on id: StreamID, in world: inout PairWorld) throws {
        var buffer: [UInt8] = []
        try world.client.machine.sendRequest(FieldSection(message.head), on: id, fin: false, into: &buffer)
        world.client.send(buffer, on: id, fin: false)
        try sendBody(message, on: id, by: &world.client)
    }

    private func sendResponse(_ message: Message, on id: StreamID, in world: inout PairWorld) throws {
        var buffer: [UInt8] = []
        for interim in message.interim {
            try world.server.machine.sendInformational(FieldSection(interim), on: id, into: &buffer)
        }
        try world.server.machine.sendResponse(FieldSection(message.head), on: id, fin: false, into: &buffer)
        world.server.send(buffer, on: id, fin: false)
        try sendBody(message, on: id, by: &world.server)
    }

    @Test(
        "Any messages arrive whole, however they are cut, frozen and thawed on the way",
        arguments: 0..<12 as Range<UInt64>)
    func everythingArrives(seed: UInt64) throws {
        var world = PairWorld(seed: seed)
        var requests: [StreamID: Message] = [:]
        var responses: [StreamID: Message] = [:]
        var steps = 0
        while steps < 20_000 {
            steps += 1
            if requests.count < 25, world.number(0...9) == 0 {
                let id = StreamID(rawValue: UInt64(requests.count) * 4)
                requests[id] = request(&world)
                try sendRequest(try #require(requests[id]), on: id, in: &world)
            }
            let isMoving = world.step()
            for (id, message) in world.server.received where message.isEnded && responses[id] == nil {
                responses[id] = response(&world)
                try sendResponse(try #require(responses[id]), on: id, in: &world)
            }
            if world.number(0...99) == 0 { try world.client.freeze() }
            if world.number(0...99) == 0 { try world.server.freeze() }
            if !isMoving, requests.count == 25, responses.count == 25 { break }
        }
        #expect(world.client.others.isEmpty && world.server.others.isEmpty)
        // Told by number alone: messages are long.
        let lost = requests.filter { world.server.received[$0.key] != $0.value.expected() }.keys.sorted()
        #expect(lost.isEmpty)
        let unanswered = responses.filter { world.client.received[$0.key] != $0.value.expected() }.keys
            .sorted()
        #expect(unanswered.isEmpty)
        #expect(responses.count == 25)
        #expect(world.client.machine.openRequestCount == 0 && world.server.machine.openRequestCount == 0)
    }

    @Test("A frozen connection keeps everything: streams in the middle, settings, priorities, shutdown")
    func frozen() throws {
        var world = PairWorld(seed: 99) { $0.isConnectProtocolEnabled = true }
        world.client.machine.start(.own(by: .client))
        while world.step() {}
        let head = FieldSection(PeerBytes.extendedConnect)
        var buffer: [UInt8] = []
        try world.client.machine.sendRequest(head, on: 0, fin: false, into: &buffer)
        try world.client.machine.beginData(100, on: 0, fin: false, into: &buffer)
        world.client.send(buffer + [1, 2, 3], on: 0, fin: false)
        while world.step() {}
        try world.client.machine.updatePriority(Priority(urgency: 0), of: 0)
        world.server.machine.beginShutdown()
        try world.client.freeze()
        try world.server.freeze()
        while world.step() {}
        #expect(world.server.received[0]?.content == [1, 2, 3])
        #expect(world.server.others == [.priority(0, Priority(urgency: 0))])
        #expect(world.client.others == [.goaway((1 << 62) - 4)])
        #expect(world.client.machine.peerSettings.isConnectProtocolEnabled)
        world.client.send([UInt8](repeating: 9, count: 97), on: 0, fin: true)
        try world.client.machine.finish(0)
        try world.server.freeze()
        while world.step() {}
        #expect(world.server.received[0]?.content.count == 100 && world.server.received[0]?.isEnded == true)
    }

    @Test("What a frozen machine wanted and nobody had taken, it still wants")
    func frozenActions() throws {
        var server = TestEndpoint.started(.server)
        PeerBytes.headers(PeerBytes.get).withUnsafeBytes { _ = server.machine.receive($0, on: 0, fin: true) }
        server.machine.beginShutdown()
        var side = PairSide(.server) { _ in }
        side.machine = server.machine
        try side.freeze()
        #expect(side.machine.openRequestCount == 1 && side.machine.hasPendingBytes)
        side.takeActions(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(side.received[0]?.isEnded == true && side.received[0]?.head.count == 4)
    }
}
