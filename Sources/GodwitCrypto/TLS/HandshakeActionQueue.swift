internal import GodwitWire

/// Actions in the order in which they are to be carried out.
struct HandshakeActionQueue {
    private var actions: [HandshakeAction] = []
    private var next = 0

    mutating func append(_ action: HandshakeAction) { actions.append(action) }

    /// Bytes of one flight and level become one action, although TLS may hand them out in pieces.
    mutating func appendSend(_ bytes: UnsafeBufferPointer<UInt8>, at level: EncryptionLevel) {
        if next < actions.count, case .send(var pending, level) = actions[actions.count - 1] {
            actions.removeLast()
            pending += bytes
            actions.append(.send(pending, level))
        } else {
            actions.append(.send([UInt8](bytes), level))
        }
    }

    mutating func popFirst() -> HandshakeAction? {
        guard next < actions.count else { return nil }
        defer {
            next += 1
            if next == actions.count {
                actions.removeAll()
                next = 0
            }
        }
        return actions[next]
    }
}
