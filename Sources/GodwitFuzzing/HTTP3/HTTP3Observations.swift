import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire

/// What a machine has told its application, and whether that made sense.
struct HTTP3Observations {
    /// How far the peer's message on a stream is.
    private enum Place {
        case head
        case content
        case trailed
        case ended
    }

    private struct Message: Equatable {
        var place = Place.head
        /// All that was told about the stream, but for content and where bytes can be given again.
        var actions: [HTTP3Action] = []
        var content: [UInt8] = []
        var expectedContent: UInt64?
    }

    let role: Role
    private(set) var closeError: HTTP3Error?
    private(set) var isDrained = false
    private var messages: [StreamID: Message] = [:]
    /// What was told about the connection.
    private var connection: [HTTP3Action] = []
    private var lastGoaway = UInt64.max

    init(role: Role) { self.role = role }

    /// Whether both were told the same. How news of different streams alternates is left to chance.
    func agrees(with other: HTTP3Observations) -> Bool {
        if closeError != nil || other.closeError != nil {
            return closeError != nil && other.closeError != nil
        }
        return messages == other.messages && connection == other.connection
    }

    mutating func note(_ action: HTTP3Action, _ bytes: UnsafeRawBufferPointer) {
        require(closeError == nil, "nothing is wanted of a connection that is closed")
        switch action {
        case .request(let id, let head): noteRequest(id, head, action)
        case .informationalResponse(let id, let head): noteInterim(id, head, action)
        case .response(let id, let head): noteResponse(id, head, action)
        case .data(let id, let range): noteContent(id, range, bytes)
        case .trailers(let id, let fields): noteTrailers(id, fields, action)
        case .end(let id): noteEnd(id, action)
        case .fieldSectionTooLarge(let id): end(id, action)
        case .resetByPeer(let id, _), .failed(let id, _): end(id, action, evenAfterEnd: true)
        case .priority(let id, _), .stoppedByPeer(let id, _), .resetStream(let id, _),
            .stopSending(let id, _):
            messages[id, default: Message()].actions.append(action)
        case .datagram(_, let range):
            require(range.upperBound <= bytes.count, "a payload lies in its datagram")
        case .resume: break
        default: noteConnection(action)
        }
    }

    private mutating func noteConnection(_ action: HTTP3Action) {
        switch action {
        case .goaway(let identifier):
            require(identifier <= lastGoaway, "a GOAWAY is never raised (RFC 9114 section 5.2)")
            lastGoaway = identifier
        case .drained:
            require(!isDrained, "a connection drains once")
            isDrained = true
        case .closeConnection(let error): closeError = error
        default: break
        }
        connection.append(action)
    }
}

// MARK: Messages

extension HTTP3Observations {
    private mutating func enter(_ id: StreamID, _ action: HTTP3Action, from: [Place], to place: Place) {
        let current = messages[id, default: Message()].place
        require(from.contains(current), "a message has its parts in their order (RFC 9114 section 4.1)")
        messages[id, default: Message()].place = place
        messages[id, default: Message()].actions.append(action)
    }

    private mutating func noteRequest(_ id: StreamID, _ head: RequestHead, _ action: HTTP3Action) {
        require(role == .server, "only servers get requests")
        enter(id, action, from: [.head], to: .content)
        messages[id]?.expectedContent = head.contentLength
        HTTP3MessageRules.check(head)
    }

    private mutating func noteInterim(_ id: StreamID, _ head: ResponseHead, _ action: HTTP3Action) {
        require(role == .client, "only clients get responses")
        require(100...199 ~= head.status && head.status != 101, "an interim response is 1xx")
        enter(id, action, from: [.head], to: .head)
        HTTP3MessageRules.checkResponse(head.fields)
    }

    private mutating func noteResponse(_ id: StreamID, _ head: ResponseHead, _ action: HTTP3Action) {
        require(role == .client, "only clients get responses")
        require(200...999 ~= head.status, "a response is not 1xx")
        enter(id, action, from: [.head], to: .content)
        HTTP3MessageRules.checkResponse(head.fields)
    }

    private mutating func noteContent(_ id: StreamID, _ range: Range<Int>, _ bytes: UnsafeRawBufferPointer) {
        require(!range.isEmpty && range.upperBound <= bytes.count, "content lies in what has come")
        require(messages[id]?.place == .content, "content is behind the header section")
        messages[id]?.content += bytes[range]
        guard let message = messages[id], let expected = message.expectedContent else { return }
        require(UInt64(message.content.count) <= expected, "no content beyond Content-Length is told")
    }

    private mutating func noteTrailers(_ id: StreamID, _ fields: FieldSection, _ action: HTTP3Action) {
        enter(id, action, from: [.content], to: .trailed)
        HTTP3MessageRules.checkFields(fields, from: 0, inRequest: role == .server)
    }

    private mutating func noteEnd(_ id: StreamID, _ action: HTTP3Action) {
        enter(id, action, from: [.content, .trailed], to: .ended)
        guard let message = messages[id], let expected = message.expectedContent else { return }
        require(
            UInt64(message.content.count) == expected,
            "a message ends with as much content as it said (RFC 9114 section 4.1.2)")
    }

    private mutating func end(_ id: StreamID, _ action: HTTP3Action, evenAfterEnd: Bool = false) {
        let places: [Place] = [.head, .content, .trailed]
        enter(id, action, from: evenAfterEnd ? places + [.ended] : places, to: .ended)
    }
}
