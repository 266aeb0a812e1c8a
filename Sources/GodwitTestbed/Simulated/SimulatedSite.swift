import GodwitCore
import GodwitHTTP3Core
import GodwitQPACK
import GodwitSimulator
import GodwitWire
import MHQKit

/// The application's server on a simulated host.
final class SimulatedSite: EndpointApplication {
    private struct Peer {
        var http3: SimulatedHTTP3
        var sizes: ResponseSizes
        /// Requests that are coming in.
        var requests: [StreamID: Incoming] = [:]
    }

    private struct Incoming {
        var isPost: Bool
        var isEcho: Bool
        var contentSize = 0
    }

    private let seed: UInt64
    private var peers: [ConnectionHandle: Peer] = [:]
    private var accepted = 0

    init(seed: UInt64) { self.seed = seed }

    func accepted(_ connection: SimulatedConnection, _ program: EndpointProgram) {
        peers[connection.handle] = Peer(
            http3: SimulatedHTTP3(connection, .server),
            sizes: ResponseSizes(master: seed, connection: accepted))
        accepted += 1
    }

    func happened(_ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram) {
        guard var peer = peers.removeValue(forKey: connection.handle) else { return }
        defer { peers[connection.handle] = peer }
        // Nobody reads them here, and they shall not pile up.
        while program.nextMigrationNotice() != nil {}
        switch event {
        case .handshakeCompleted, .handshakeConfirmed: peer.http3.openStreams()
        case .stream(let event):
            let http3 = peer.http3
            http3.handle(event, now: program.now) { Self.perform($0, http3, &peer) }
        case .closed: peer.requests = [:]
        default: break
        }
    }

    private static func perform(_ action: HTTP3Action, _ http3: SimulatedHTTP3, _ peer: inout Peer) {
        switch action {
        case .request(let id, let head):
            peer.requests[id] = Incoming(
                isPost: head.method != .get, isEcho: head.pathLine.map { isEcho(head.fields, $0) } ?? false)
        case .data(let id, let range): peer.requests[id]?.contentSize += range.count
        case .end(let id):
            guard let request = peer.requests.removeValue(forKey: id) else { return }
            let size = request.isEcho ? request.contentSize : request.isPost ? 0 : peer.sizes.next()
            http3.respond(on: id, contentSize: size)
        case .failed(let id, _), .resetByPeer(let id, _): peer.requests[id] = nil
        default: break
        }
    }

    private static func isEcho(_ fields: FieldSection, _ line: Int) -> Bool {
        fields.withUnsafeLine(at: line) { $0.value.elementsEqual("/echo".utf8) }
    }
}
