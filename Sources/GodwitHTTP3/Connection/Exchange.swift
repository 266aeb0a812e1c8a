import Godwit
import GodwitHTTP3Core
import GodwitWire
import HTTPTypes
import NIOCore

/// A request and its response on their stream: what has come and nobody has taken, what waits to be sent, and
/// the tasks that wait for either.
class Exchange: @unchecked Sendable {
    // But for what never changes, all of it is touched on the connection's event loop alone; that makes the
    // class `Sendable`.

    let id: StreamID
    let driver: HTTP3ConnectionDriver

    var inbound = InboundMessage()
    var outbound = OutboundMessage()
    var datagrams = DatagramInbox()

    /// How long to wait for more content, and for the peer to take more of ours.
    let contentIdleTime: TimeSpan?
    let sendingIdleTime: TimeSpan?

    init(
        _ id: StreamID, of driver: HTTP3ConnectionDriver, contentIdleTime: TimeSpan?,
        sendingIdleTime: TimeSpan?
    ) {
        self.id = id
        self.driver = driver
        self.contentIdleTime = contentIdleTime
        self.sendingIdleTime = sendingIdleTime
    }

    var port: ConnectionPort { driver.port }

    /// Whether nothing more is sent or received.
    var isOver: Bool { inbound.isOver && outbound.isOver }

    /// Ends both directions.
    func fail(_ failure: HTTP3Failure) {
        inbound.fail(failure)
        outbound.fail(failure)
        datagrams.readers.wakeAll()
    }

    /// Does something on the event loop that does not have to wait.
    nonisolated(nonsending) func onLoop<Result: Sendable>(
        _ body: @Sendable () throws -> Result
    ) async throws -> Result {
        if port.isCurrent { return try body() }
        return try await port.run { try body() }
    }

    /// Does something on the event loop that does not have to wait.
    nonisolated(nonsending) func onLoop<Result: Sendable>(_ body: @Sendable () -> Result) async -> Result {
        if port.isCurrent { return body() }
        return await port.run { body() }
    }
}

/// What comes in on a stream.
struct InboundMessage {
    enum State {
        /// The final header section has not come.
        case head
        /// Content is coming.
        case content
        /// All of the message has come.
        case ended
        /// Nothing more comes, and the message is not whole.
        case failed(HTTP3Failure)
    }

    var state = State.head
    /// Content that nobody has taken.
    var content = ByteBuffer()
    var trailers: HTTPFields?
    var contentLength: Int?
    /// How many bytes of content are taken in all, and how many were.
    var limit = Int.max
    var received = 0
    var readers = Waiters()
    /// When the peer's time is up, while something is waited for.
    var deadline = Instant.distantFuture

    var isOver: Bool {
        switch state {
        case .head, .content: false
        case .ended, .failed: true
        }
    }

    var isHead: Bool { if case .head = state { true } else { false } }
    var isEnded: Bool { if case .ended = state { true } else { false } }
    var failure: HTTP3Failure? { if case .failed(let failure) = state { failure } else { nil } }

    var isReadToTheEnd: Bool { isEnded && content.readableBytes == 0 }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        received += bytes.count
        guard received <= limit else { return }
        content.writeBytes(bytes)
    }

    mutating func end() {
        if !isOver { state = .ended }
        deadline = .distantFuture
        readers.wakeAll()
    }

    mutating func fail(_ failure: HTTP3Failure) {
        if !isOver { state = .failed(failure) }
        deadline = .distantFuture
        readers.wakeAll()
    }
}

/// What goes out on a stream.
struct OutboundMessage {
    enum State {
        /// Neither a final response nor a request was sent.
        case head
        case content
        /// The end was written.
        case ended
        case failed(HTTP3Failure)
    }

    var state = State.head
    /// How many bytes of content were sent.
    var sent = 0
    /// What the transport has not taken yet.
    var backlog = ByteBuffer()
    /// Whether the stream ends behind the backlog.
    var endsBehindBacklog = false
    /// Whether content is left out, because the request was HEAD.
    var omitsContent = false
    /// The status, if it is one without content.
    var contentlessStatus: Int?
    /// Whether the transport has all of it, and the peer has not acknowledged it.
    var isAwaitingDelivery = false
    var writers = Waiters()
    /// When the peer's time is up, while it is waited for.
    var deadline = Instant.distantFuture

    var hasBacklog: Bool { backlog.readableBytes > 0 || endsBehindBacklog }

    var isOver: Bool {
        switch state {
        case .head, .content: false
        case .ended: !hasBacklog
        case .failed: true
        }
    }

    var isHead: Bool { if case .head = state { true } else { false } }
    var isEnded: Bool { if case .ended = state { true } else { false } }
    var failure: HTTP3Failure? { if case .failed(let failure) = state { failure } else { nil } }

    mutating func fail(_ failure: HTTP3Failure) {
        deadline = .distantFuture
        if !isOver {
            state = .failed(failure)
            backlog = ByteBuffer()
            endsBehindBacklog = false
        }
        writers.wakeAll()
    }
}
