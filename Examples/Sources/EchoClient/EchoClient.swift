import Godwit
import NIOCore

/// Says a line to the echo server and prints what comes back. The server's certificate is self-signed, so this
/// client says in so many words that it does not verify it.
@main
struct EchoClient {
    static func main() async throws {
        let words = CommandLine.arguments.dropFirst()
        let line = words.isEmpty ? "is anybody there?" : words.joined(separator: " ")
        let configuration = try QUICClientConfiguration(
            applicationProtocols: ["echo"], trust: .insecureNoVerification)
        let answer = try await QUICConnection.connect(
            to: "localhost", port: 4433, configuration: configuration
        ) { connection in
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: line), finish: true)
            return String(buffer: try await stream.collect(upTo: 1 << 20))
        }
        print(answer)
    }
}
