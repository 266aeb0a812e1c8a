public import HTTPTypes
public import NIOCore

/// The content of a request.
public struct HTTP3Content: Sendable {
    enum Kind: Sendable {
        case none
        /// The caller writes it.
        case toCome
        case bytes(ByteBuffer)
        case stream(@Sendable (HTTP3BodyWriter) async throws -> Void)
    }

    let kind: Kind
    /// How many bytes there are, if that is known.
    let length: Int?

    /// No content.
    public static let none = HTTP3Content(kind: .none, length: nil)

    /// Content that the caller of `begin` writes.
    static let toCome = HTTP3Content(kind: .toCome, length: nil)

    /// Content that is at hand. A Content-Length is added if there is none.
    public static func bytes(_ bytes: ByteBuffer) -> HTTP3Content {
        HTTP3Content(kind: .bytes(bytes), length: bytes.readableBytes)
    }

    /// Content that is at hand. A Content-Length is added if there is none.
    public static func bytes(_ bytes: some Collection<UInt8>) -> HTTP3Content {
        .bytes(ByteBuffer(bytes: bytes))
    }

    /// Content that comes piece by piece, and is asked for no faster than the server takes it.
    ///
    /// - Parameters:
    ///   - pieces: the content; if it throws, the request is given up.
    ///   - length: how many bytes there are in all, if that is known: becomes the Content-Length.
    public static func stream<Pieces: AsyncSequence & Sendable>(
        _ pieces: Pieces, length: Int? = nil
    ) -> HTTP3Content where Pieces.Element == ByteBuffer {
        .writing(length: length) { writer in
            for try await piece in pieces { try await writer.write(piece) }
        }
    }

    /// Content that a closure writes, while the response may already be coming. It runs in a task of its own
    /// on the connection's event loop. When it returns the request is finished, if it has not done that, with
    /// trailers perhaps; when it throws the request is given up.
    public static func writing(
        length: Int? = nil, _ write: @escaping @Sendable (HTTP3BodyWriter) async throws -> Void
    ) -> HTTP3Content { HTTP3Content(kind: .stream(write), length: length) }

    /// How many bytes to announce. That there are none is said where some would be expected (RFC 9110 section
    /// 8.6).
    func length(for method: HTTPRequest.Method) -> Int? {
        guard case .none = kind else { return length }
        return method == .post || method == .put || method == .patch ? 0 : nil
    }

    /// Whether the content can be sent a second time.
    var isRepeatable: Bool {
        switch kind {
        case .none, .bytes: true
        case .stream, .toCome: false
        }
    }
}

/// How a request is sent.
public struct HTTP3RequestOptions: Sendable {
    /// How the response competes with the connection's others (RFC 9218): becomes the Priority field, if
    /// there is none.
    public var priority: HTTP3Priority?
    /// Gets the interim responses (1xx), as they come, on the connection's event loop. It must not block.
    public var onInformational: (@Sendable (HTTPResponse) -> Void)?
    /// How long the server may take to answer, in place of the configuration's
    /// ``HTTP3ClientLimits/responseHeaderTime``.
    public var responseHeaderTime: Duration?

    /// The defaults.
    public init() {}
}
