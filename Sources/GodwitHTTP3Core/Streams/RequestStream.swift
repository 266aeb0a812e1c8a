import GodwitWire

/// One request and its response (RFC 9114 section 4.1): how far each of the two messages is, and the frame
/// that is being received.
struct RequestStream: Sendable, Codable {
    /// How far the peer's message is.
    enum Receiving: UInt8, Codable {
        /// The header section, or the final one after interim responses, has not come.
        case head
        case content
        case trailed
        /// It has ended, was reset, or is not wanted any more: what still comes has no meaning.
        case ended
    }

    /// How far our message is.
    enum Sending: UInt8, Codable {
        case head
        case content
        case ended
    }

    let id: StreamID
    let role: Role
    var receiving = Receiving.head
    var sending = Sending.head
    /// The method of the request; a server knows it only once `receiving` has left `.head`.
    var method = RequestMethod.other
    /// The request is an extended CONNECT (RFC 9220 section 3).
    var isExtendedConnect = false
    /// Both sides are a tunnel since a 2xx response to CONNECT (RFC 9114 section 4.4).
    var isTunnel = false
    /// The application has heard of the request.
    var isKnown = false
    var isEarlyData = false
    /// A field section waits for the encoder stream (RFC 9204 section 2.1.2).
    var isBlocked = false
    /// The stream ended while it was blocked.
    var hasPendingEnd = false
    /// What the last PRIORITY_UPDATE said.
    var priority: Priority?
    /// How many bytes of content are to come; nil when nothing says so.
    var missingContent: UInt64?
    /// How many bytes of content are to be sent; nil when nothing says so.
    var unsentContent: UInt64?
    var frames = FrameReader()
    /// What has come of a field section that is not whole, or waits for the encoder stream.
    var held: [UInt8] = []

    init(id: StreamID, role: Role) {
        self.id = id
        self.role = role
    }

    var isOver: Bool { receiving == .ended && sending == .ended }
}

// MARK: Frames

extension RequestStream {
    /// What the next bytes are.
    enum Step {
        /// There are no more.
        case done
        /// This many bytes, up to where the reader is now, are content.
        case content(Int)
        /// A field section that lies whole in the bytes given.
        case fieldSection(UnsafeRawBufferPointer)
        /// A field section that is whole in `held`.
        case heldFieldSection
        /// A field section that is too long to be taken.
        case fieldSectionTooLarge
        /// A frame that says nothing.
        case meaningless
    }

    /// Takes the next frame, or part of one, out of `reader`.
    mutating func next(
        _ reader: inout ByteReader, maximumFieldSectionSize: Int
    ) throws(StreamFailure) -> Step {
        while true {
            if !frames.isInPayload {
                guard frames.readHeader(&reader) else { return .done }
                if let step = try beginFrame(&reader, maximumFieldSectionSize) { return step }
            }
            switch frames.type.meaning {
            case .data: return nextContent(&reader)
            case .headers: return nextFieldSection(&reader)
            default: _ = frames.readPayload(&reader)
            }
            // Only what is skipped comes here.
            if frames.isInPayload { return .done }
        }
    }

    private mutating func beginFrame(
        _ reader: inout ByteReader, _ maximumFieldSectionSize: Int
    ) throws(StreamFailure) -> Step? {
        switch frames.type.meaning {
        case .data: return try beginContent(&reader)
        case .headers: return try beginFieldSection(maximumFieldSectionSize)
        case .pushPromise: throw pushPromise
        case .control: throw .connection(.frameUnexpected, "\(frames.type) frame on request stream \(id)")
        case .forbidden:
            throw .connection(
                .frameUnexpected, "frame of type \(frames.type), which HTTP/3 reserves, on stream \(id)")
        case .unknown:
            if frames.remaining == 0 { _ = frames.readPayload(&reader) }
            return .meaningless
        }
    }

    // RFC 9114 section 7.2.5: who never allowed a push has no id that a promise could have.
    private var pushPromise: StreamFailure {
        if role == .server { return .connection(.frameUnexpected, "PUSH_PROMISE frame from a client") }
        // RFC 9114 section 4.4
        if isTunnel {
            return .connection(.frameUnexpected, "PUSH_PROMISE frame in the tunnel on stream \(id)")
        }
        if frames.remaining == 0 { return .connection(.frameError, "PUSH_PROMISE frame without a push id") }
        return .connection(.idError, "PUSH_PROMISE frame although no push was allowed")
    }
}

// MARK: Content

extension RequestStream {
    private mutating func beginContent(_ reader: inout ByteReader) throws(StreamFailure) -> Step? {
        // RFC 9114 section 4.1
        guard receiving == .content else {
            let place = receiving == .head ? "before the header section" : "behind the trailer section"
            throw .connection(.frameUnexpected, "DATA frame \(place) on stream \(id)")
        }
        if let missing = missingContent {
            // RFC 9114 section 4.1.2
            guard frames.remaining <= missing else {
                throw .malformed(MalformedMessage("content-length", "there is more content"))
            }
            missingContent = missing - frames.remaining
        }
        guard frames.remaining == 0 else { return nil }
        _ = frames.readPayload(&reader)
        return .meaningless
    }

    private mutating func nextContent(_ reader: inout ByteReader) -> Step {
        let count = frames.readPayload(&reader).count
        return count == 0 ? .done : .content(count)
    }

    /// What a header section says about the content behind it.
    mutating func expectContent(_ length: UInt64?) {
        missingContent = length
        receiving = .content
    }

    /// A final response has come; returns what its Content-Length field is worth.
    mutating func expectResponse(status: Int, contentLength: UInt64?) -> UInt64? {
        isTunnel = method == .connect && 200...299 ~= status
        // RFC 9110 section 9.3.6: there it has to be ignored.
        let length = isTunnel ? nil : contentLength
        // RFC 9114 section 4.1.2: such a response may give the length of content that it does not have.
        expectContent(isWithoutContent(status) && !isTunnel ? 0 : length)
        return length
    }
}

// MARK: Field sections

extension RequestStream {
    private mutating func beginFieldSection(_ maximumSize: Int) throws(StreamFailure) -> Step? {
        // RFC 9114 sections 4.1 and 4.4
        guard receiving != .trailed else {
            throw .connection(.frameUnexpected, "HEADERS frame behind the trailer section on stream \(id)")
        }
        guard !(receiving == .content && (isTunnel || role == .server && method == .connect)) else {
            throw .connection(.frameUnexpected, "HEADERS frame in the tunnel on stream \(id)")
        }
        // A section takes no more bytes encoded than its size counts, unless its encoder means harm.
        return frames.remaining > UInt64(maximumSize) ? .fieldSectionTooLarge : nil
    }

    private mutating func nextFieldSection(_ reader: inout ByteReader) -> Step {
        let bytes = frames.readPayload(&reader)
        if held.isEmpty, !frames.isInPayload { return .fieldSection(bytes) }
        held.append(contentsOf: bytes)
        return frames.isInPayload ? .done : .heldFieldSection
    }

    /// Keeps a field section until the encoder stream has brought what it needs.
    mutating func block(holding bytes: UnsafeRawBufferPointer) {
        held = [UInt8](bytes)
        isBlocked = true
    }

    /// Gives out the field section that is held.
    mutating func takeHeld() -> [UInt8] {
        isBlocked = false
        let bytes = held
        held = []
        return bytes
    }
}

// MARK: The end

extension RequestStream {
    /// The peer's message ends here; throws if it is not whole.
    mutating func end() throws(StreamFailure) {
        // RFC 9114 section 7.1
        guard frames.isBetweenFrames else {
            throw .connection(.frameError, "stream \(id) ended within a frame")
        }
        let hadHead = receiving != .head
        receiving = .ended
        guard hadHead else { throw incomplete }
        // RFC 9114 section 4.1.2
        guard missingContent ?? 0 == 0 else {
            throw .malformed(MalformedMessage("content-length", "there is less content"))
        }
    }

    // RFC 9114 section 4.1
    private var incomplete: StreamFailure {
        role == .server
            ? .stream(.requestIncomplete, "stream \(id) ended before a request")
            : .stream(.messageError, "stream \(id) ended before a response")
    }
}
