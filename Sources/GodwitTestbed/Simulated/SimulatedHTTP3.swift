import GodwitCore
import GodwitHTTP3Core
import GodwitQPACK
import GodwitSimulator
import GodwitWire

/// An HTTP/3 connection on a simulated transport: carries bytes between the machine and the streams.
///
/// Content is counted and not kept; what is sent besides fields is filler.
final class SimulatedHTTP3 {
    let connection: SimulatedConnection
    private(set) var machine: HTTP3Connection
    private var ownStreams: [StreamID] = []
    private var hasStarted = false
    private var outgoing: [StreamID: Outgoing] = [:]
    private var scratch: [UInt8] = []

    /// What a stream has yet to take.
    private struct Outgoing {
        var head: ArraySlice<UInt8>
        var filler: Int
    }

    private static let filler = [UInt8](repeating: 0x5a, count: 64 << 10)

    init(_ connection: SimulatedConnection, _ role: Role) {
        self.connection = connection
        machine = HTTP3Connection(role: role)
    }

    // MARK: Events

    /// Opens the connection's own streams once the peer allows (RFC 9114 section 6.2).
    func openStreams() {
        guard !hasStarted else { return }
        while ownStreams.count < 3 {
            guard let id = connection.openStream(.unidirectional) else { return }
            ownStreams.append(id)
        }
        hasStarted = true
        machine.start(OwnStreams(control: ownStreams[0], encoder: ownStreams[1], decoder: ownStreams[2]))
        writePending()
    }

    /// Takes in what happened on a stream.
    ///
    /// - Parameter perform: gets each action of the machine that is about requests.
    func handle(_ event: StreamEvent, now: Instant, _ perform: (HTTP3Action) -> Void) {
        switch event {
        case .opened(let id): machine.streamOpened(id)
        case .readable(let id): read(id, now, perform)
        case .writable(let id): send(id)
        case .resetByPeer(let id, let code): machine.receiveReset(of: id, code: code)
        case .stopSendingByPeer(let id, let code):
            outgoing[id] = nil
            machine.receiveStopSending(of: id, code: code)
        case .streamsAvailable: openStreams()
        case .finished: break
        }
        performActions(now, perform)
        writePending()
    }

    private func read(_ id: StreamID, _ now: Instant, _ perform: (HTTP3Action) -> Void) {
        guard let core = connection.core else { return }
        var consumed = 0
        repeat {
            consumed = 0
            let result = try? core.read(from: id, now: now) { view in
                consumed = machine.receive(view, on: id, fin: false)
                return consumed
            }
            guard let result else { return }
            if result.isFinished {
                _ = machine.receive(UnsafeRawBufferPointer(start: nil, count: 0), on: id, fin: true)
            }
            performActions(now, perform)
            if result.isFinished || result.remaining == 0 { return }
        } while consumed > 0
    }

    private func performActions(_ now: Instant, _ perform: (HTTP3Action) -> Void) {
        while let action = machine.nextAction() {
            switch action {
            case .resume(let id): read(id, now, perform)
            case .resetStream(let id, let code): try? connection.reset(id, code: code.rawValue)
            case .stopSending(let id, let code): try? connection.stopSending(id, code: code.rawValue)
            case .closeConnection(let error): connection.close(code: error.code.rawValue)
            default: perform(action)
            }
        }
    }

    private func writePending() {
        guard hasStarted, machine.hasPendingBytes, let core = connection.core else { return }
        machine.writePendingBytes { id, bytes, fin in (try? core.write(bytes, to: id, fin: fin)) ?? 0 }
    }

    // MARK: Messages

    /// Sends a request; nil when no stream can be opened.
    func request(isPost: Bool, authority: String, path: String, contentSize: Int) -> StreamID? {
        guard let id = connection.openStream(.bidirectional) else { return nil }
        var fields = FieldSection()
        fields.append(name: ":method", value: isPost ? "POST" : "GET")
        fields.append(name: ":scheme", value: "https" as StaticString)
        fields.append(name: ":authority", value: authority)
        fields.append(name: ":path", value: path)
        scratch.removeAll(keepingCapacity: true)
        do {
            try machine.sendRequest(fields, on: id, fin: contentSize == 0, into: &scratch)
            if contentSize > 0 { try machine.beginData(contentSize, on: id, fin: true, into: &scratch) }
        } catch {
            return nil
        }
        begin(id, contentSize)
        return id
    }

    /// Answers a request with so many bytes.
    func respond(on id: StreamID, contentSize: Int) {
        var fields = FieldSection()
        fields.append(name: ":status", value: "200" as StaticString)
        fields.append(name: "content-length", value: "\(contentSize)")
        scratch.removeAll(keepingCapacity: true)
        do {
            try machine.sendResponse(fields, on: id, fin: contentSize == 0, into: &scratch)
            if contentSize > 0 { try machine.beginData(contentSize, on: id, fin: true, into: &scratch) }
        } catch {
            return
        }
        begin(id, contentSize)
    }

    private func begin(_ id: StreamID, _ contentSize: Int) {
        outgoing[id] = Outgoing(head: scratch[...], filler: contentSize)
        send(id)
        writePending()
    }

    /// Hands the transport as much as it takes.
    private func send(_ id: StreamID) {
        guard let core = connection.core, var message = outgoing[id] else { return }
        while !message.head.isEmpty || message.filler > 0 {
            let taken = Self.write(message, to: id, core)
            guard taken > 0 else { break }
            let ofHead = min(taken, message.head.count)
            message.head.removeFirst(ofHead)
            message.filler -= taken - ofHead
        }
        outgoing[id] = message.head.isEmpty && message.filler == 0 ? nil : message
    }

    private static func write(_ message: Outgoing, to id: StreamID, _ core: Connection) -> Int {
        if !message.head.isEmpty {
            return message.head.withUnsafeBytes {
                (try? core.write($0, to: id, fin: message.filler == 0)) ?? 0
            }
        }
        let count = min(message.filler, filler.count)
        return filler.withUnsafeBytes {
            let bytes = UnsafeRawBufferPointer(rebasing: $0[..<count])
            return (try? core.write(bytes, to: id, fin: count == message.filler)) ?? 0
        }
    }
}
