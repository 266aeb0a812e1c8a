import NIOCore
import NIOPosix
import NIOSSL

/// A TCP connection that speaks in plain bytes, with TLS or without.
struct RawConnection {
    typealias Channel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    let inbound: NIOAsyncChannelInboundStream<ByteBuffer>
    let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>

    /// Connects, and closes the connection when `body` is done.
    ///
    /// - Parameters:
    ///   - authorityFile: nil for no TLS.
    ///   - serverName: nil to ask for none.
    static func run<Result: Sendable>(
        port: UInt16, authorityFile: String? = nil, serverName: String? = nil,
        _ body: @Sendable (RawConnection) async throws -> Result
    ) async throws -> Result {
        var tls: NIOSSLContext?
        if let authorityFile {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .file(authorityFile)
            configuration.certificateVerification = .noHostnameVerification
            tls = try NIOSSLContext(configuration: configuration)
        }
        let context = tls
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: Int(port)) {
            channel in
            channel.eventLoop.makeCompletedFuture {
                if let context {
                    let handler = try NIOSSLClientHandler(context: context, serverHostname: serverName)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
                return try Channel(wrappingChannelSynchronously: channel)
            }
        }
        let result = try await channel.executeThenClose { inbound, outbound in
            try await body(RawConnection(inbound: inbound, outbound: outbound))
        }
        try await group.shutdownGracefully()
        return result
    }

    func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// Everything until the server closes the connection.
    func readToEnd() async throws -> String {
        var text = ""
        do {
            for try await chunk in inbound { text += String(buffer: chunk) }
        } catch NIOSSLError.uncleanShutdown {
            // The end all the same.
        }
        return text
    }

    /// Sends a request that is the connection's last, and reads the answer.
    func ask(_ path: String, method: String = "GET", _ fields: String = "", body: String = "") async throws
        -> String
    {
        try await send(
            "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(fields)\r\n\(body)")
        return try await readToEnd()
    }
}
