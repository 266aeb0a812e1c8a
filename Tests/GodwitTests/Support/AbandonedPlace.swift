import GodwitTestSupport
import GodwitWire
import NIOCore
import NIOPosix

/// An address that nobody serves: what is sent there is lost, and counted, and no ICMP says so.
struct AbandonedPlace: Sendable {
    private let channel: any Channel

    /// Fails while anybody else has the address.
    ///
    /// - Parameter losses: is told of each datagram.
    init(at address: NetworkAddress, _ losses: Report<Void>) async throws {
        channel = try await patiently {
            try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DatagramCounter(losses))
                    }
                }
                .bind(host: "\(address.ip)", port: Int(address.port)).get()
        }
    }

    func leave() async throws { try await channel.close() }
}

/// Takes an address that was just let go of: processes that other tests start at that moment have the socket until they
/// run.
func patiently<Result: Sendable>(_ bind: @Sendable () async throws -> Result) async throws -> Result {
    for _ in 0..<100 {
        do { return try await bind() } catch { try await Task.sleep(for: .milliseconds(10)) }
    }
    return try await bind()
}

private final class DatagramCounter: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let losses: Report<Void>

    init(_ losses: Report<Void>) { self.losses = losses }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { losses.send() }
}
