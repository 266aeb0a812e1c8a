import GodwitHTTP3
import HTTPTypes
import NIOCore

/// Asks the hello server for its page, and has it send back what stands on the command line, both at once.
/// The server's certificate is self-signed, so this client says in so many words that it does not verify it.
@main
struct HelloClient {
    static func main() async throws {
        let words = CommandLine.arguments.dropFirst().joined(separator: " ")
        try await HTTP3Client.connect(to: "localhost", port: 4433, trust: .insecureNoVerification) { client in
            async let page = text(of: client.send(request(.get, "/")))
            async let answer = text(of: client.send(request(.post, "/echo"), body: .bytes(Array(words.utf8))))
            print(try await page, try await answer, separator: "")
        }
    }

    static func request(_ method: HTTPRequest.Method, _ path: String) -> HTTPRequest {
        HTTPRequest(method: method, scheme: "https", authority: "localhost:4433", path: path)
    }

    static func text(of message: (HTTPResponse, HTTP3Body)) async throws -> String {
        String(buffer: try await message.1.collect(upTo: 1 << 20))
    }
}
