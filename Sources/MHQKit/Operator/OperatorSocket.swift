import Foundation
import Logging
import NIOCore
import NIOPosix

/// The Unix socket at which an operator finds a server. Only the server's own user and root may speak there.
final class OperatorSocket: Sendable {
    private typealias Client = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Where the socket is in the file system.
    let path: String
    private let channel: NIOAsyncChannel<Client, Never>
    private let logger: Logger

    private init(_ path: String, _ channel: NIOAsyncChannel<Client, Never>, _ logger: Logger) {
        self.path = path
        self.channel = channel
        self.logger = logger
    }

    /// Makes the socket.
    ///
    /// - Throws: a failure that names the option.
    static func bind(
        to path: String, on group: any EventLoopGroup, _ logger: Logger, option: String = "--control"
    ) async throws -> OperatorSocket {
        guard OperatorClient.connect(to: path) == nil else {
            throw Failure(ExitCode.system, "\(option): \(path): another server listens there")
        }
        do {
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 16)
                .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Client(wrappingChannelSynchronously: channel)
                    }
                }
            // Until now others could have connected, but not spoken: see `isWelcome`.
            chmod(path, 0o600)
            return OperatorSocket(path, channel, logger)
        } catch {
            throw Failure(ExitCode.cannotCreate, "\(option): \(path): \(SocketProblem.describe(error))")
        }
    }

    /// Answers operators until the task is cancelled.
    func run(_ answer: @escaping @Sendable (String) async -> String) async throws {
        defer { unlink(path) }
        try await withThrowingDiscardingTaskGroup { group in
            try await channel.executeThenClose { clients in
                for try await client in clients {
                    group.addTask { await self.serve(client, answer) }
                }
            }
        }
    }

    private func serve(_ client: Client, _ answer: @Sendable (String) async -> String) async {
        let isWelcome = await Self.isWelcome(client.channel)
        try? await client.executeThenClose { inbound, outbound in
            guard isWelcome else {
                let failure = Failure(ExitCode.noPermission, "this server belongs to another user")
                logger.warning("another user spoke to the operator's socket")
                return try await outbound.write(Self.line(OperatorAnswer.failure(nil, failure).text))
            }
            var lines = LineBuffer(limit: OperatorRequest.longest)
            for try await bytes in inbound {
                lines.append(bytes)
                while let line = lines.next() {
                    try await outbound.write(Self.line(await answer(line)))
                }
                guard lines.isTooLong else { continue }
                let failure = Failure(
                    ExitCode.dataError, "the request is longer than \(OperatorRequest.longest) bytes")
                return try await outbound.write(Self.line(OperatorAnswer.failure(nil, failure).text))
            }
        }
    }

    private static func line(_ text: String) -> ByteBuffer { ByteBuffer(string: text + "\n") }

    /// Whether a process of that user may: the server's own, and root.
    static func mayCommand(user: UInt32) -> Bool { user == geteuid() || user == 0 }

    /// The kernel knows whose process is at the other end.
    private static func isWelcome(_ channel: any Channel) async -> Bool {
        guard let provider = channel as? any SocketOptionProvider else { return false }
        let peer: PeerCredentials? = try? await provider.unsafeGetSocketOption(
            level: .socket, name: .init(rawValue: SO_PEERCRED)
        ).get()
        return peer.map { mayCommand(user: $0.user) } ?? false
    }
}

/// `struct ucred` of Linux.
private struct PeerCredentials: Sendable {
    var process: Int32 = 0
    var user: UInt32 = .max
    var group: UInt32 = .max
}

/// Bytes that come in pieces, as lines.
struct LineBuffer {
    private var bytes = ByteBuffer()
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func append(_ more: ByteBuffer) {
        bytes.writeImmutableBuffer(more)
    }

    /// The next whole line, without its end.
    mutating func next() -> String? {
        guard let end = bytes.readableBytesView.firstIndex(of: 0x0a) else { return nil }
        let line = bytes.readString(length: end - bytes.readerIndex)
        bytes.moveReaderIndex(forwardBy: 1)
        bytes.discardReadBytes()
        return line
    }

    /// Whether there is more of a line than anybody has to say.
    var isTooLong: Bool { bytes.readableBytes > limit }
}

/// Why a socket could not be had, in words.
enum SocketProblem {
    static func describe(_ error: any Error) -> String {
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        if error is SocketAddressError { return "is no name for a socket; it may be too long" }
        return "\(error)"
    }
}
