import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

/// A machine, and what it wanted so far.
struct TestEndpoint {
    var machine: HTTP3Connection
    /// What the last ``receive(_:on:fin:)`` did not consume.
    var unconsumed: [UInt8] = []
    var buffer: [UInt8] = []

    init(
        _ role: Role, remembering settings: HTTP3Settings? = nil,
        _ configure: (inout HTTP3Configuration) -> Void = { _ in }
    ) {
        var configuration = HTTP3Configuration()
        configure(&configuration)
        machine = HTTP3Connection(role: role, configuration: configuration, rememberedSettings: settings)
    }

    /// An endpoint whose control and QPACK streams are under way, both ours and the peer's.
    static func started(
        _ role: Role, peer settings: [(UInt64, UInt64)] = [],
        _ configure: (inout HTTP3Configuration) -> Void = { _ in }
    ) -> TestEndpoint {
        var endpoint = TestEndpoint(role, configure)
        endpoint.machine.start(.own(by: role))
        _ = endpoint.sent()
        endpoint.receive([0x00] + PeerBytes.settings(settings), on: .control(of: role.peer))
        endpoint.receive([0x02], on: .encoder(of: role.peer))
        endpoint.receive([0x03], on: .decoder(of: role.peer))
        return endpoint
    }

    @discardableResult
    mutating func receive(_ bytes: [UInt8], on id: StreamID, fin: Bool = false) -> [HTTP3Action] {
        let consumed = bytes.withUnsafeBytes { machine.receive($0, on: id, fin: fin) }
        unconsumed = Array(bytes[consumed...])
        return take()
    }

    mutating func receiveDatagram(_ bytes: [UInt8]) -> [HTTP3Action] {
        bytes.withUnsafeBytes { machine.receiveDatagram($0) }
        return take()
    }

    mutating func take() -> [HTTP3Action] {
        var actions: [HTTP3Action] = []
        while let action = machine.nextAction() { actions.append(action) }
        return actions
    }

    /// What was sent on our own streams since the last call.
    mutating func sent() -> [StreamID: [UInt8]] {
        var sent: [StreamID: [UInt8]] = [:]
        machine.writePendingBytes { id, bytes, _ in
            sent[id, default: []] += bytes
            return bytes.count
        }
        return sent
    }

    // MARK: Sending, what is thrown told as a value

    mutating func request(
        _ lines: [(String, String)], on id: StreamID = 0, fin: Bool = true
    ) -> HTTP3SendError? {
        attempt { (machine, buffer) throws(HTTP3SendError) in
            try machine.sendRequest(FieldSection(lines), on: id, fin: fin, into: &buffer)
        }
    }

    mutating func respond(
        _ lines: [(String, String)], on id: StreamID = 0, fin: Bool = true
    ) -> HTTP3SendError? {
        attempt { (machine, buffer) throws(HTTP3SendError) in
            try machine.sendResponse(FieldSection(lines), on: id, fin: fin, into: &buffer)
        }
    }

    mutating func inform(_ lines: [(String, String)], on id: StreamID = 0) -> HTTP3SendError? {
        attempt { (machine, buffer) throws(HTTP3SendError) in
            try machine.sendInformational(FieldSection(lines), on: id, into: &buffer)
        }
    }

    mutating func data(_ length: Int, on id: StreamID = 0, fin: Bool = false) -> HTTP3SendError? {
        attempt { (machine, buffer) throws(HTTP3SendError) in
            try machine.beginData(length, on: id, fin: fin, into: &buffer)
        }
    }

    mutating func trailers(_ lines: [(String, String)], on id: StreamID = 0) -> HTTP3SendError? {
        attempt { (machine, buffer) throws(HTTP3SendError) in
            try machine.sendTrailers(FieldSection(lines), on: id, into: &buffer)
        }
    }

    mutating func attempt(
        _ send: (inout HTTP3Connection, inout [UInt8]) throws(HTTP3SendError) -> Void
    ) -> HTTP3SendError? {
        do throws(HTTP3SendError) {
            try send(&machine, &buffer)
            return nil
        } catch {
            return error
        }
    }
}

extension StreamID {
    static func control(of role: Role) -> StreamID { role == .client ? 2 : 3 }
    static func encoder(of role: Role) -> StreamID { role == .client ? 6 : 7 }
    static func decoder(of role: Role) -> StreamID { role == .client ? 10 : 11 }
    static func unidirectional(_ index: UInt64, of role: Role) -> StreamID {
        StreamID(index: index, direction: .unidirectional, initiator: role)
    }
}

extension OwnStreams {
    static func own(by role: Role) -> OwnStreams {
        OwnStreams(control: .control(of: role), encoder: .encoder(of: role), decoder: .decoder(of: role))
    }
}

extension [HTTP3Action] {
    /// The error that closes the connection.
    var closing: HTTP3Error? {
        for case .closeConnection(let error) in self { return error }
        return nil
    }

    func resetCode(of id: StreamID) -> HTTP3ErrorCode? {
        for case .resetStream(id, let code) in self { return code }
        return nil
    }

    func stopCode(of id: StreamID) -> HTTP3ErrorCode? {
        for case .stopSending(id, let code) in self { return code }
        return nil
    }

    var failure: HTTP3Error? {
        for case .failed(_, let error) in self { return error }
        return nil
    }

    var request: RequestHead? {
        for case .request(_, let head) in self { return head }
        return nil
    }

    var response: ResponseHead? {
        for case .response(_, let head) in self { return head }
        return nil
    }
}

/// Expects that the peer is told of an error on the connection.
func expectClose(
    _ actions: [HTTP3Action], _ code: HTTP3ErrorCode, location: SourceLocation = #_sourceLocation
) {
    #expect(actions.closing?.code == code, "\(actions)", sourceLocation: location)
    #expect(actions.closing?.reason.isEmpty == false, sourceLocation: location)
}

/// Expects that a request is lost and the connection is not.
func expectStreamError(
    _ actions: [HTTP3Action], _ code: HTTP3ErrorCode, on id: StreamID = 0,
    location: SourceLocation = #_sourceLocation
) {
    #expect(actions.closing == nil, sourceLocation: location)
    #expect(
        actions.resetCode(of: id) == code || actions.stopCode(of: id) == code, "\(actions)",
        sourceLocation: location)
}
