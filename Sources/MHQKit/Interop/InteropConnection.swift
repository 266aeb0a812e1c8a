import Foundation
import Godwit
import GodwitHTTP3
import HTTPTypes
import NIOCore

/// A client's connection, in either of the protocols that the runner has files fetched over.
enum InteropConnection: Sendable {
    case http09(QUICConnection)
    case http3(HTTP3Client)

    /// What is left for the next connection to the same server.
    enum Resumption: Sendable {
        case http09(QUICResumption)
        case http3(HTTP3Resumption)
    }

    var quic: QUICConnection {
        switch self {
        case .http09(let connection): connection
        case .http3(let client): client.quic
        }
    }

    /// Waits until the server has given something to resume with.
    func resumption() async throws -> Resumption {
        switch self {
        case .http09(let connection):
            for await resumption in connection.resumptionTickets { return .http09(resumption) }
        case .http3(let client):
            for await resumption in client.resumptions { return .http3(resumption) }
        }
        throw Failure(ExitCode.protocolError, "the server gave no session ticket")
    }

    /// Downloads a file.
    func fetch(_ request: InteropRequest, to path: String) async throws {
        switch self {
        case .http09(let connection): try await Self.fetch(request, over: connection, to: path)
        case .http3(let client): try await Self.fetch(request, over: client, to: path)
        }
    }

    private static func fetch(
        _ request: InteropRequest, over connection: QUICConnection, to path: String
    ) async throws {
        let stream = try await connection.openStream()
        try await stream.write(ByteBuffer(string: "GET \(request.path)\r\n"), finish: true)
        let file = try newFile(path)
        defer { try? file.close() }
        for try await chunk in stream { try file.write(contentsOf: Data(chunk.readableBytesView)) }
    }

    private static func fetch(
        _ request: InteropRequest, over client: HTTP3Client, to path: String
    ) async throws {
        let host = request.host.contains(":") ? "[\(request.host)]" : request.host
        let (response, body) = try await client.send(
            HTTPRequest(
                method: .get, scheme: "https", authority: "\(host):\(request.port)", path: request.path))
        guard response.status == .ok else {
            throw Failure(ExitCode.unavailable, "\(request.path): the server answered \(response.status)")
        }
        let file = try newFile(path)
        defer { try? file.close() }
        for try await chunk in body { try file.write(contentsOf: Data(chunk.readableBytesView)) }
    }

    private static func newFile(_ path: String) throws(Failure) -> FileHandle {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw Failure(ExitCode.cannotCreate, "\(path): cannot be written") }
        return file
    }
}
