import GodwitWire

/// A capsule that has come; its value is valid only while the closure runs that got it.
public struct UnsafeCapsule {
    /// What it is. Whoever does not know the type lets the capsule be (RFC 9297 section 3.2).
    public let type: CapsuleType
    /// How many bytes its value has.
    public let length: UInt64
    /// The value; nil when it is longer than what is put together.
    public let value: UnsafeRawBufferPointer?
}

/// Cuts the content of a tunnel into capsules (RFC 9297 section 3.2), wherever the content itself was cut.
public struct CapsuleReader: Hashable, Sendable, Codable {
    /// The longest value that is put together, in bytes. Longer ones are skipped without being kept (RFC 9297
    /// section 3.5).
    public let maximumLength: Int
    private var position = FrameReader()
    private var length: UInt64 = 0
    private var held: [UInt8] = []

    /// A reader at the start of a data stream.
    public init(maximumLength: Int = 1 << 16) { self.maximumLength = maximumLength }

    /// Takes the next bytes of content, and calls `body` for each capsule that they complete.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeCapsule) -> Void) {
        var reader = ByteReader(bytes)
        while true {
            if !position.isInPayload {
                guard position.readHeader(&reader) else { return }
                length = position.remaining
            }
            let value = position.readPayload(&reader)
            guard take(value, body) else { return }
        }
    }

    /// Takes part of a value; true when the capsule is complete.
    private mutating func take(_ value: UnsafeRawBufferPointer, _ body: (UnsafeCapsule) -> Void) -> Bool {
        let isComplete = !position.isInPayload
        guard length <= UInt64(max(0, maximumLength)) else {
            if isComplete { body(capsule(nil)) }
            return isComplete
        }
        if isComplete, held.isEmpty {
            body(capsule(value))
            return true
        }
        held.append(contentsOf: value)
        guard isComplete else { return false }
        held.withUnsafeBytes { body(capsule($0)) }
        held.removeAll(keepingCapacity: true)
        return true
    }

    private func capsule(_ value: UnsafeRawBufferPointer?) -> UnsafeCapsule {
        UnsafeCapsule(type: CapsuleType(rawValue: position.type.rawValue), length: length, value: value)
    }

    /// The content ends here: a capsule that is not whole makes the message malformed (RFC 9297 section 3.3).
    public func finish() throws(HTTP3Error) {
        guard position.isBetweenFrames else {
            throw HTTP3Error(.messageError, "the stream ended within a capsule")
        }
    }
}
