import GodwitWire

/// The peer's control stream (RFC 9114 section 6.2.1).
struct ControlStream: Hashable, Sendable, Codable {
    /// What came on it.
    enum Element {
        case settings(HTTP3Settings)
        case goaway(UInt64)
        case maxPushID(UInt64)
        case cancelPush(UInt64)
        /// Nil for a priority that can't be read.
        case priorityUpdate(StreamID, Priority?)
        case pushPriorityUpdate(UInt64)
        /// A frame that says nothing.
        case meaningless
    }

    let id: StreamID
    private let role: Role
    private var hasSettings = false
    private var frames = FrameReader()
    private var held: [UInt8] = []

    /// The control stream that the peer of `role` opened.
    init(id: StreamID, role: Role) {
        self.id = id
        self.role = role
    }

    /// Takes the next frame out of `reader`; nil when more bytes are needed.
    mutating func next(_ reader: inout ByteReader, _ limits: HTTP3Limits) throws(HTTP3Error) -> Element? {
        while true {
            if !frames.isInPayload {
                guard frames.readHeader(&reader) else { return nil }
                try beginFrame(limits)
                if frames.type.meaning == .unknown, frames.remaining == 0 {
                    _ = frames.readPayload(&reader)
                    return .meaningless
                }
            }
            let bytes = frames.readPayload(&reader)
            if frames.type.meaning == .unknown {
                if frames.isInPayload { return nil }
                return .meaningless
            }
            if held.isEmpty, !frames.isInPayload { return try parse(bytes, limits) }
            held.append(contentsOf: bytes)
            return frames.isInPayload ? nil : try parseHeld(limits)
        }
    }

    private mutating func parseHeld(_ limits: HTTP3Limits) throws(HTTP3Error) -> Element {
        let payload = held
        held.removeAll(keepingCapacity: true)
        return try payload.withUnsafeBufferPointer { (bytes) throws(HTTP3Error) in
            try parse(UnsafeRawBufferPointer(bytes), limits)
        }
    }
}

// MARK: Which frames may come

extension ControlStream {
    private mutating func beginFrame(_ limits: HTTP3Limits) throws(HTTP3Error) {
        // RFC 9114 section 6.2.1: a frame of unknown type is no SETTINGS frame either (section 9).
        guard hasSettings || frames.type == .settings else {
            throw HTTP3Error(.missingSettings, "control stream begins with a frame of type \(frames.type)")
        }
        guard isAllowed else {
            throw HTTP3Error(.frameUnexpected, "\(frames.type) frame on the control stream")
        }
        try checkLength(limits)
        hasSettings = true
    }

    private var isAllowed: Bool {
        switch frames.type.meaning {
        case .data, .headers, .pushPromise, .forbidden: return false
        case .unknown: return true
        case .control: break
        }
        switch frames.type {
        // RFC 9114 section 7.2.4
        case .settings: return !hasSettings
        // RFC 9114 section 7.2.7 and RFC 9218 section 7.2: only clients send these.
        case .maxPushID, .requestPriorityUpdate, .pushPriorityUpdate: return role == .server
        default: return true
        }
    }

    private func checkLength(_ limits: HTTP3Limits) throws(HTTP3Error) {
        switch frames.type {
        case .settings: try checkLength(limits.settings, of: 16)
        case .requestPriorityUpdate, .pushPriorityUpdate: try checkLength(limits.priorityFieldValue, of: 1)
        case .goaway, .maxPushID, .cancelPush:
            // RFC 9114 section 7.1: one integer, and nothing else.
            guard 1...8 ~= frames.remaining else {
                throw HTTP3Error(.frameError, "\(frames.type) frame of \(frames.remaining) bytes")
            }
        default: break
        }
    }

    private func checkLength(_ count: Int, of size: Int) throws(HTTP3Error) {
        // Eight bytes more for an id before a priority.
        let most = min(max(0, count), 1 << 24) * size + 8
        guard frames.remaining <= UInt64(most) else {
            throw HTTP3Error(.excessiveLoad, "\(frames.type) frame of \(frames.remaining) bytes")
        }
    }
}

// MARK: What they say

extension ControlStream {
    private func parse(_ payload: UnsafeRawBufferPointer, _ limits: HTTP3Limits) throws(HTTP3Error) -> Element
    {
        switch frames.type {
        case .settings: .settings(try HTTP3Settings(payload: payload, maximumCount: limits.settings))
        case .goaway: .goaway(try soleInteger(payload))
        case .maxPushID: .maxPushID(try soleInteger(payload))
        case .cancelPush: .cancelPush(try soleInteger(payload))
        default: try parsePriorityUpdate(payload)
        }
    }

    private func soleInteger(_ payload: UnsafeRawBufferPointer) throws(HTTP3Error) -> UInt64 {
        var reader = ByteReader(payload)
        guard let value = reader.readVarint(), reader.isAtEnd else {
            throw HTTP3Error(.frameError, "\(frames.type) frame that is not one integer")
        }
        return value
    }

    private func parsePriorityUpdate(_ payload: UnsafeRawBufferPointer) throws(HTTP3Error) -> Element {
        var reader = ByteReader(payload)
        guard let element = reader.readVarint() else {
            throw HTTP3Error(.frameError, "PRIORITY_UPDATE frame without an id")
        }
        if frames.type == .pushPriorityUpdate { return .pushPriorityUpdate(element) }
        let id = StreamID(rawValue: element)
        // RFC 9218 section 7.2
        guard id.initiator == .client, id.direction == .bidirectional else {
            throw HTTP3Error(.idError, "PRIORITY_UPDATE for stream \(id), which is no request stream")
        }
        return .priorityUpdate(id, Priority(fieldValue: reader.readRest()))
    }
}
