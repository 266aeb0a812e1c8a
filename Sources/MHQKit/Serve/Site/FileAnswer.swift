import Foundation
import HTTPTypes
import NIOCore

/// The answer to a GET or HEAD of a file.
struct FileAnswer {
    let files: FileStore
    let path: RequestPath

    /// What is read at once without leaving the event loop; most files of web sites are smaller.
    private static let smallSize: Int64 = 64 << 10

    nonisolated(nonsending) func send(over exchange: some WebExchange) async throws {
        let file: OpenFile
        do {
            file = try self.file()
        } catch {
            return try await answer(error, over: exchange)
        }
        try await send(file, over: exchange)
    }

    private func file() throws(FileStore.Absence) -> OpenFile {
        guard path.isFolder else { return try files.file(at: path) }
        return try files.file(at: path.appending("index.html"))
    }

    nonisolated(nonsending) private func answer(
        _ absence: FileStore.Absence, over exchange: some WebExchange
    ) async throws {
        switch absence {
        case .isFolder where !path.isFolder: try await redirectToFolder(exchange)
        case .notFound, .isFolder: try await exchange.refuse(.notFound)
        case .forbidden: try await exchange.refuse(.forbidden)
        case .exhausted: try await exchange.refuse(.serviceUnavailable, [.retryAfter: "1"])
        case .broken: try await exchange.refuse(.internalServerError)
        }
    }

    /// To the same path with a slash behind, so that relative links in the folder's page lead where they
    /// should. It is made anew from the names: what the client wrote might be read as another server's
    /// address.
    nonisolated(nonsending) private func redirectToFolder(_ exchange: some WebExchange) async throws {
        let names = path.bytes.reduce(into: "") { text, byte in
            text += Self.isPlain(byte) ? String(UnicodeScalar(byte)) : PercentEncoding.encode(byte)
        }
        let query = exchange.request.path?.firstIndex(of: "?").flatMap { exchange.request.path?[$0...] } ?? ""
        try await exchange.refuse(.movedPermanently, [.location: "/\(names)/\(query)"])
    }

    /// What stands for itself in a path (RFC 3986 section 2.3), and the slash.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~/".utf8.contains(byte)
        }
    }

    // MARK: What there is

    nonisolated(nonsending) private func send(_ file: OpenFile, over exchange: some WebExchange) async throws
    {
        let conditions = Preconditions(exchange.request.headerFields)
        if let conditions {
            switch conditions.outcome(file.description.validators) {
            case .proceed: break
            case .notModified:
                return try await exchange.respond(
                    .notModified, file.description.validatorFields, ByteBuffer())
            case .failed: return try await exchange.refuse(.preconditionFailed)
            }
        }
        switch range(of: file, conditions, exchange.request) {
        case .whole: try await sendWhole(file, over: exchange)
        case .part(let range): try await sendPart(range, of: file, over: exchange)
        case .unsatisfiable:
            try await exchange.refuse(
                .rangeNotSatisfiable, [.contentRange: "bytes */\(file.description.size)"])
        }
    }

    private func range(of file: OpenFile, _ conditions: Preconditions?, _ request: HTTPRequest) -> ByteRange {
        // Range is of use with GET alone (RFC 9110 section 14.2).
        guard request.method == .get, let field = request.headerFields[.range] else { return .whole }
        if let conditions, !conditions.allowsRange(file.description.validators, now: Int64(time(nil))) {
            return .whole
        }
        return ByteRange(field, size: file.description.size)
    }

    nonisolated(nonsending) private func sendWhole(
        _ file: OpenFile, over exchange: some WebExchange
    ) async throws {
        let description = file.description
        guard exchange.request.method != .head else {
            return try await exchange.respond(.ok, description.fieldsWithLength, ByteBuffer())
        }
        guard description.size > Self.smallSize else {
            return try await sendSmall(
                0..<description.size, of: file, .ok, description.fields, over: exchange)
        }
        try await sendLarge(
            0..<description.size, of: file, .ok, description.fieldsWithLength, over: exchange)
    }

    nonisolated(nonsending) private func sendPart(
        _ range: Range<Int64>, of file: OpenFile, over exchange: some WebExchange
    ) async throws {
        var fields = file.description.fields
        fields[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.description.size)"
        guard range.count > Self.smallSize else {
            return try await sendSmall(range, of: file, .partialContent, fields, over: exchange)
        }
        fields[.contentLength] = String(range.count)
        try await sendLarge(range, of: file, .partialContent, fields, over: exchange)
    }

    // MARK: Content

    nonisolated(nonsending) private func sendSmall(
        _ range: Range<Int64>, of file: OpenFile, _ status: HTTPResponse.Status, _ fields: HTTPFields,
        over exchange: some WebExchange
    ) async throws {
        try await exchange.respond(status, fields, try file.content.read(range))
    }

    nonisolated(nonsending) private func sendLarge(
        _ range: Range<Int64>, of file: OpenFile, _ status: HTTPResponse.Status, _ fields: HTTPFields,
        over exchange: some WebExchange
    ) async throws {
        try await exchange.begin(status, fields)
        try await file.content.forEachPiece(of: range) { try await exchange.write($0) }
        try await exchange.finish()
    }
}

extension Preconditions {
    /// The conditions of a request; nil if it has none, as most.
    init?(_ fields: HTTPFields) {
        self.init(
            ifMatch: fields[.ifMatch], ifNoneMatch: fields[.ifNoneMatch],
            ifModifiedSince: fields[.ifModifiedSince], ifUnmodifiedSince: fields[.ifUnmodifiedSince],
            ifRange: fields[.ifRange])
        if self == Preconditions() { return nil }
    }
}
