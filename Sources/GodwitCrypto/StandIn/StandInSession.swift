internal import GodwitWire

/// What both sides of the stand-in have in common: bytes in, messages out, a failure that stays.
struct StandInSession {
    var queue = HandshakeActionQueue()
    private(set) var readLevel = EncryptionLevel.initial
    private var failure: HandshakeFailure?
    private var held = InboundLevels()
    private var buffer = StandInMessageBuffer()

    mutating func nextAction() -> HandshakeAction? { queue.popFirst() }

    mutating func send(_ message: StandInMessage, at level: EncryptionLevel) {
        message.bytes.withUnsafeBufferPointer { queue.appendSend($0, at: level) }
    }

    /// From here on messages come at another level; what is left of the last is too much (RFC 9001 section
    /// 4.1.3).
    mutating func read(at level: EncryptionLevel) throws(HandshakeFailure) {
        guard buffer.isEmpty else {
            throw HandshakeFailure(
                code: .protocolViolation, reason: "handshake bytes behind the last message")
        }
        readLevel = level
        guard let bytes = held.release(level) else { return }
        try bytes.withUnsafeBufferPointer { (bytes) throws(HandshakeFailure) in
            try buffer.append(UnsafeRawBufferPointer(bytes))
        }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer, at level: EncryptionLevel) throws(HandshakeFailure)
    {
        if let failure { throw failure }
        guard level != .earlyData, level.rawValue >= readLevel.rawValue else {
            throw fail(
                HandshakeFailure(code: .protocolViolation, reason: "handshake bytes at a level that has none")
            )
        }
        do throws(HandshakeFailure) {
            if level == readLevel {
                try buffer.append(bytes)
            } else {
                try held.hold(bytes, at: level, limit: 16_384)
            }
        } catch {
            throw fail(error)
        }
    }

    mutating func nextMessage() throws(HandshakeFailure) -> StandInMessage? { try buffer.next() }

    mutating func fail(_ error: HandshakeFailure) -> HandshakeFailure {
        failure = error
        return error
    }
}

extension HandshakeFailure {
    static func unexpected(_ message: StandInMessage) -> HandshakeFailure {
        HandshakeFailure(alert: 10, reason: "a message out of turn (\(message.kind))")
    }
}

/// Lists of application protocols, each name behind its length.
enum StandInProtocols {
    static func encode(_ names: [String]) -> [UInt8] {
        names.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
    }

    static func decode(_ bytes: [UInt8]) -> [String] {
        var names: [String] = []
        var rest = bytes[...]
        while let length = rest.popFirst() {
            names.append(String(decoding: rest.prefix(Int(length)), as: UTF8.self))
            rest = rest.dropFirst(Int(length))
        }
        return names
    }
}
