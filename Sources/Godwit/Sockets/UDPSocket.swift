import CGodwitSocket
import GodwitCore
import GodwitWire
import Logging
import NIOCore
import NIOPosix

/// A UDP socket of an endpoint.
///
/// SwiftNIO polls it and reads the first train after each wake-up, because only it can. The rest is read and
/// everything is written by system calls of our own: SwiftNIO cannot choose the source address of a datagram,
/// and allocates several times for each that it reads.
final class UDPSocket: @unchecked Sendable {
    // Once it is open, all of it is touched on the event loop alone; that is what makes the class `Sendable`.

    let localAddress: NetworkAddress
    let descriptor: SocketDescriptor
    /// What could not be sent yet because the system had no room.
    var held: HeldTrain?
    var sender: TrainSender
    /// The last errno for which something was dropped.
    var lastProblem: CInt = 0
    /// Whether the descriptor is ours; when the channel is closed it may be another's.
    private(set) var isOpen = false

    private var channel: (any Channel)?
    private var endpoint: EndpointLoop?

    private init(_ descriptor: SocketDescriptor) {
        self.descriptor = descriptor
        localAddress = descriptor.localAddress
        sender = TrainSender(usesTrains: descriptor.supportsTrains)
    }

    func covers(_ transmission: Transmission) -> Bool {
        descriptor.covers(transmission.local) && descriptor.canReach(transmission.remote)
    }

    // MARK: Opening and closing

    /// Opens a socket for an endpoint. Nothing is read until ``activate(for:)``.
    static func open(
        _ local: NetworkAddress, sharing: SocketDescriptor.Sharing, on eventLoop: any EventLoop
    ) async throws(QUICError) -> UDPSocket {
        let socket = UDPSocket(try SocketDescriptor(bindingTo: local, sharing: sharing))
        do {
            _ = try await bootstrap(on: eventLoop, socket).withBoundSocket(socket.descriptor.number).get()
            return socket
        } catch {
            // SwiftNIO has closed the descriptor.
            let number = (error as? IOError)?.errnoCode ?? 0
            throw .socket(SocketFailure(.register, local, errorNumber: number))
        }
    }

    private static func bootstrap(on eventLoop: any EventLoop, _ socket: UDPSocket) -> DatagramBootstrap {
        DatagramBootstrap(group: eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 16))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(socket)
                }
            }
    }

    /// Begins to read for an endpoint. The socket keeps the endpoint alive until it is closed.
    func activate(for endpoint: EndpointLoop) throws(QUICError) {
        self.endpoint = endpoint
        guard let channel, channel.isActive, let options = channel.syncOptions else {
            throw .socket(SocketFailure(.register, localAddress, errorNumber: 0))
        }
        isOpen = true
        do {
            // The socket has these options already; SwiftNIO has to know that it is to read what they bring.
            try options.setOption(.explicitCongestionNotification, value: true)
            try options.setOption(.receivePacketInfo, value: true)
            #if os(Linux)
            try options.setOption(.datagramReceiveSegmentSize, value: true)
            #endif
            try options.setOption(.autoRead, value: !endpoint.isHeld)
        } catch {
            close()
            throw .socket(
                SocketFailure(.configure, localAddress, errorNumber: (error as? IOError)?.errnoCode ?? 0))
        }
    }

    /// Stops or goes on reading.
    func setReading(_ isReading: Bool) {
        try? channel?.syncOptions?.setOption(.autoRead, value: isReading)
    }

    /// Reads nothing more and lets the address go. What has arrived and was not read is lost.
    func close() {
        isOpen = false
        held = nil
        endpoint = nil
        channel?.close(promise: nil)
    }
}

extension UDPSocket: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    func handlerAdded(context: ChannelHandlerContext) { channel = context.channel }

    func handlerRemoved(context: ChannelHandlerContext) { channel = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let endpoint, let remote = NetworkAddress(unwrapInboundIn(data).remoteAddress) else { return }
        let envelope = unwrapInboundIn(data)
        let arrival = Arrival(envelope.metadata, from: remote, at: self)
        envelope.data.withUnsafeReadableBytes { bytes in
            // The transport decrypts in place. The buffer's memory is shared with SwiftNIO's pool of receive
            // buffers and with nobody else, for this is the pipeline's only handler; and the pool clears a
            // buffer before it uses it again, whatever is in it. So to write here needs no copy.
            endpoint.receive(UnsafeMutableRawBufferPointer(mutating: bytes), arrival)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard let endpoint else { return }
        readMore(for: endpoint)
        endpoint.driver.takeTurn()
        // What came in the meantime is read at once: to wake up again for it costs more than to look.
        var turns = 1
        while turns < Self.turnsPerWakeUp, readMore(for: endpoint) {
            endpoint.driver.takeTurn()
            turns += 1
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Mostly what ICMP says of an earlier datagram. Anyone can forge that.
        endpoint?.logger.debug("hint from the network", metadata: ["error": "\(error)"])
    }

    func channelInactive(context: ChannelHandlerContext) {
        let wasOpen = isOpen
        isOpen = false
        if wasOpen { endpoint?.socketFailed(self) }
        endpoint = nil
    }
}

extension UDPSocket {
    /// How many trains are read in a row before the connections get their turn.
    private static let trainsPerWakeUp = 16

    /// How many turns the connections get before SwiftNIO looks at its other sockets again.
    fileprivate static let turnsPerWakeUp = 4

    /// Reads what else has come. Returns whether there was anything.
    @discardableResult
    func readMore(for endpoint: EndpointLoop) -> Bool {
        let buffer = endpoint.driver.receiveBuffer
        var arrival = godwit_incoming()
        var hasRead = false
        for _ in 0..<Self.trainsPerWakeUp where isOpen {
            let count = descriptor.receive(into: buffer, &arrival)
            if count < 0, SystemError.isHint(CInt(-count)) { continue }
            guard count >= 0 else { break }
            hasRead = true
            endpoint.receive(
                UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), Arrival(arrival, at: self))
        }
        return hasRead
    }
}
