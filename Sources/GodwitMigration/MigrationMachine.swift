public import GodwitWire

/// The part of a connection that moves the server or follows it: the door of this room.
///
/// A connection keeps one of these. It is plain data and knows no path, so one file of the connection can do
/// all that its actions ask.
public enum MigrationMachine: Hashable, Sendable, Codable {
    /// A connection of plain QUIC version 1, or one whose parameters were not exchanged yet.
    case off
    /// A client's.
    case client(ClientMigrationMachine)
    /// A server's.
    case server(ServerMigrationMachine)
}

extension MigrationMachine {
    /// Refuses a migration frame on a connection that has agreed on none (Specs/server-migration.md 3.6.2).
    public static func refusal(of frame: MigrationFrame) -> TransportError {
        if case .alternativeAddress = frame { return .unknownFrame(frame.type) }
        return .migrationViolation("a migration frame that was not negotiated", frame.type)
    }

    /// In how many packets a server says its last word before a freeze.
    public static var lastWordCopies: Int { MigrationOutbox.lastWordCopies }

    /// The next frame to write, to be followed by ``onFrameSent(_:)`` when it was.
    public var frameToSend: OutgoingMigrationFrame? {
        if case .server(let machine) = self { return machine.frameToSend }
        return nil
    }

    /// The next frame for a packet that has one already.
    public func frameToSend(after id: MigrationFrameID) -> OutgoingMigrationFrame? {
        if case .server(let machine) = self { return machine.frameToSend(after: id) }
        return nil
    }

    /// Whether to leave a packet number out before the packet with the next frame.
    public var wantsImmediateAcknowledgement: Bool {
        if case .server(let machine) = self { return machine.wantsImmediateAcknowledgement }
        return false
    }

    /// The frame was written into a packet.
    public mutating func onFrameSent(_ id: MigrationFrameID) {
        guard case .server(var machine) = self else { return }
        machine.onFrameSent(id)
        self = .server(machine)
    }

    /// When to report that a deadline has come; nil for never.
    public var deadline: Instant? {
        switch self {
        case .off: nil
        case .client(let machine): machine.deadline
        case .server(let machine): machine.deadline
        }
    }

    /// Carries the machine over a freeze of the process.
    public mutating func resume(shiftedBy span: TimeSpan) {
        switch self {
        case .off: return
        case .client(var machine):
            machine.resume(shiftedBy: span)
            self = .client(machine)
        case .server(var machine):
            machine.resume(shiftedBy: span)
            self = .server(machine)
        }
    }
}

extension TransportError {
    /// RFC 9000 section 12.4: what was not agreed on is not known.
    static func unknownFrame(_ type: UInt64) -> TransportError {
        TransportError(.frameEncodingError, "the frame type is unknown", frameType: type)
    }
}
