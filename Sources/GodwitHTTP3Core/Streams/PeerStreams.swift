import GodwitWire

/// The unidirectional streams that the peer opened (RFC 9114 section 6.2).
struct PeerStreams: Hashable, Sendable, Codable {
    /// What a stream is to us.
    enum Kind {
        case control
        case encoder
        case decoder
        /// Its type has not come yet.
        case undetermined
        /// Of no meaning to us, or over.
        case ignored
    }

    private struct Undetermined: Hashable, Sendable, Codable {
        let id: StreamID
        var type = PartialInteger()
    }

    var control: ControlStream?
    private var encoder: StreamID?
    private var decoder: StreamID?
    private var undetermined: [Undetermined] = []
    private var nextIndex: UInt64 = 0

    func kind(of id: StreamID) -> Kind {
        if id == control?.id { return .control }
        if id == encoder { return .encoder }
        if id == decoder { return .decoder }
        return undetermined.contains { $0.id == id } ? .undetermined : .ignored
    }

    /// The peer opened a stream, and with it all lower ones of its kind (RFC 9000 section 3.2); one that is
    /// known already changes nothing.
    mutating func open(_ id: StreamID, limit: Int) throws(HTTP3Error) {
        while nextIndex <= id.index {
            guard undetermined.count < limit else {
                throw HTTP3Error(.excessiveLoad, "more than \(limit) unidirectional streams without a type")
            }
            let next = StreamID(index: nextIndex, direction: .unidirectional, initiator: id.initiator)
            undetermined.append(Undetermined(id: next))
            nextIndex += 1
        }
    }

    /// Reads the type of a stream that has not told it; nil until it is whole.
    mutating func readType(of id: StreamID, _ reader: inout ByteReader) -> UInt64? {
        guard let position = undetermined.firstIndex(where: { $0.id == id }) else { return nil }
        guard let type = undetermined[position].type.read(&reader) else { return nil }
        undetermined.remove(at: position)
        return type
    }

    /// A stream says what it is.
    mutating func determine(_ id: StreamID, type: UInt64, role: Role) throws(HTTP3Error) -> Kind {
        switch type {
        case StreamType.control:
            guard control == nil else { throw Self.second("control", id) }
            control = ControlStream(id: id, role: role)
            return .control
        case StreamType.push: throw push(id, role)
        case StreamType.encoder:
            guard encoder == nil else { throw Self.second("QPACK encoder", id) }
            encoder = id
            return .encoder
        case StreamType.decoder:
            guard decoder == nil else { throw Self.second("QPACK decoder", id) }
            decoder = id
            return .decoder
        default: return .ignored
        }
    }

    // RFC 9114 section 6.2.1, RFC 9204 section 4.2
    private static func second(_ name: String, _ id: StreamID) -> HTTP3Error {
        HTTP3Error(.streamCreationError, "stream \(id) is a second \(name) stream")
    }

    // RFC 9114 sections 4.6 and 6.2.2: we never send MAX_PUSH_ID.
    private func push(_ id: StreamID, _ role: Role) -> HTTP3Error {
        role == .server
            ? HTTP3Error(.streamCreationError, "push stream \(id) from a client")
            : HTTP3Error(.idError, "push stream \(id) although no push was allowed")
    }

    /// The peer ended or reset a stream. One that has told no type may do so (RFC 9114 section 6.2), one that
    /// the connection needs must not (RFC 9114 section 6.2.1, RFC 9204 section 4.2).
    mutating func close(_ id: StreamID) throws(HTTP3Error) {
        undetermined.removeAll { $0.id == id }
        switch kind(of: id) {
        case .control: throw HTTP3Error(.closedCriticalStream, "the control stream was closed")
        case .encoder: throw HTTP3Error(.closedCriticalStream, "the QPACK encoder stream was closed")
        case .decoder: throw HTTP3Error(.closedCriticalStream, "the QPACK decoder stream was closed")
        case .undetermined, .ignored: break
        }
    }
}

/// The types of unidirectional streams (RFC 9114 section 6.2, RFC 9204 section 4.2).
enum StreamType {
    static let control: UInt64 = 0x00
    static let push: UInt64 = 0x01
    static let encoder: UInt64 = 0x02
    static let decoder: UInt64 = 0x03
}
