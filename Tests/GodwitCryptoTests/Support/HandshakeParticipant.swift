import GodwitCrypto
import GodwitWire

/// One side of an in-memory handshake, and everything that it has said.
final class HandshakeParticipant {
    let session: any HandshakeSession
    private(set) var actions: [HandshakeAction] = []
    private(set) var failure: HandshakeFailure?

    init(_ session: any HandshakeSession) { self.session = session }

    func start() {
        perform { () throws(HandshakeFailure) in try session.start() }
    }

    func receive(_ bytes: [UInt8], at level: EncryptionLevel) {
        perform { () throws(HandshakeFailure) in
            try bytes.withUnsafeBufferPointer { (bytes) throws(HandshakeFailure) in
                try session.receive(UnsafeRawBufferPointer(bytes), at: level)
            }
        }
    }

    private func perform(_ body: () throws(HandshakeFailure) -> Void) {
        do throws(HandshakeFailure) { try body() } catch { failure = error }
        while let action = session.nextAction() { actions.append(action) }
    }

    /// What is to be sent that no one has taken yet.
    func takeFlight() -> [(bytes: [UInt8], level: EncryptionLevel)] {
        defer { taken = actions.count }
        return actions[taken...].compactMap {
            guard case .send(let bytes, let level) = $0 else { return nil }
            return (bytes, level)
        }
    }

    private var taken = 0

    // MARK: What it said

    func readSecret(_ level: EncryptionLevel) -> TrafficSecret? {
        for case .installReadSecret(let secret, level) in actions { return secret }
        return nil
    }

    func writeSecret(_ level: EncryptionLevel) -> TrafficSecret? {
        for case .installWriteSecret(let secret, level) in actions { return secret }
        return nil
    }

    var summary: HandshakeSummary? {
        for case .complete(let summary) in actions { return summary }
        return nil
    }

    var peerParameters: [UInt8]? {
        for case .peerTransportParameters(let bytes) in actions { return bytes }
        return nil
    }

    var tickets: [[UInt8]] {
        actions.compactMap {
            guard case .sessionTicket(let bytes) = $0 else { return nil }
            return bytes
        }
    }

    func sent(at level: EncryptionLevel) -> [UInt8] {
        actions.reduce(into: []) { all, action in
            if case .send(let bytes, level) = action { all += bytes }
        }
    }

    /// The actions by name, with the lengths of what is sent.
    var trace: [String] {
        actions.map { action in
            switch action {
            case .send(let bytes, let level): "send \(level) \(bytes.count)"
            case .installReadSecret(_, let level): "read \(level)"
            case .installWriteSecret(_, let level): "write \(level)"
            case .peerTransportParameters: "parameters"
            case .earlyDataAccepted: "accepted"
            case .earlyDataRejected: "rejected"
            case .sessionTicket: "ticket"
            case .complete: "complete"
            }
        }
    }
}

/// A client and a server that hand each other what they send, without a network.
struct HandshakePair {
    let client: HandshakeParticipant
    let server: HandshakeParticipant

    init(_ client: any HandshakeSession, _ server: any HandshakeSession) {
        self.client = HandshakeParticipant(client)
        self.server = HandshakeParticipant(server)
    }

    /// Lets both speak until they have nothing more to say.
    ///
    /// - Parameter pieces: how many bytes are handed over at once.
    func run(pieces: Int = .max) {
        client.start()
        while deliver(from: client, to: server, pieces) || deliver(from: server, to: client, pieces) {}
    }

    private func deliver(from sender: HandshakeParticipant, to receiver: HandshakeParticipant, _ pieces: Int)
        -> Bool
    {
        let flight = sender.takeFlight()
        for (bytes, level) in flight {
            for start in stride(from: 0, to: bytes.count, by: min(pieces, bytes.count)) {
                receiver.receive(
                    Array(bytes[start..<min(start + min(pieces, bytes.count), bytes.count)]), at: level)
                if receiver.failure != nil { return false }
            }
        }
        return !flight.isEmpty
    }

    var isComplete: Bool { client.session.isComplete && server.session.isComplete }
}
