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
    /// Whether the descriptor stays ours when SwiftNIO closes its own: see ``hearNetwork()``.
    private let mayOutliveChannel: Bool

    private var channel: (any Channel)?
    private var endpoint: EndpointLoop?
    /// Who polls the socket in place of SwiftNIO.
    private var watch: SocketWatch?

    private init(_ descriptor: SocketDescriptor, mayOutliveChannel: Bool) {
        self.descriptor = descriptor
        self.mayOutliveChannel = mayOutliveChannel
        localAddress = descriptor.localAddress
        sender = TrainSender(usesTrains: descriptor.supportsTrains)
    }

    func covers(_ transmission: Transmission) -> Bool {
        descriptor.covers(transmission.local) && descriptor.canReach(transmission.remote)
    }

    // MARK: Opening and closing

    /// Opens a socket for an endpoint. Nothing is read until ``activate(for:)``.
    ///
    /// - Parameter mayHearNetwork: whether ``hearNetwork()`` may be called.
    static func open(
        _ local: NetworkAddress, sharing: SocketDescriptor.Sharing, mayHearNetwork: Bool = false,
        on eventLoop: any EventLoop
    ) async throws(QUICError) -> UDPSocket {
        let socket = UDPSocket(
            try SocketDescriptor(bindingTo: local, sharing: sharing), mayOutliveChannel: mayHearNetwork)
        do {
            _ = try await socket.register(on: eventLoop).get()
            return socket
        } catch {
            // SwiftNIO has closed its descriptor.
            if mayHearNetwork { socket.descriptor.close() }
            let number = (error as? IOError)?.errnoCode ?? 0
            throw .socket(SocketFailure(.register, local, errorNumber: number))
        }
    }

    private func register(on eventLoop: any EventLoop) throws(QUICError) -> EventLoopFuture<any Channel> {
        let number = mayOutliveChannel ? try descriptor.duplicate() : descriptor.number
        return Self.bootstrap(on: eventLoop, self).withBoundSocket(number)
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
        isOpen = true
        guard let channel, channel.isActive, let options = channel.syncOptions else {
            close()
            throw .socket(SocketFailure(.register, localAddress, errorNumber: 0))
        }
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
        if let watch { return watch.setReading(isReading) }
        try? channel?.syncOptions?.setOption(.autoRead, value: isReading)
    }

    /// Reads nothing more and lets the address go. What has arrived and was not read is lost.
    func close() {
        let wasOpen = isOpen
        isOpen = false
        held = nil
        endpoint = nil
        channel?.close(promise: nil)
        watch?.end()
        watch = nil
        if wasOpen, mayOutliveChannel { descriptor.close() }
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
        if watch == nil { fail() }
    }

    private func fail() {
        let endpoint = isOpen ? endpoint : nil
        close()
        endpoint?.socketFailed(self)
    }
}

// What the network says of datagrams that did not arrive.
extension UDPSocket {
    /// Whether the endpoint is told.
    var hearsNetwork: Bool { watch != nil }

    /// Has the endpoint told of what the network says (ICMP), from now on.
    ///
    /// SwiftNIO takes such a word for the end of a socket, or stops the process. So it polls this socket no longer.
    func hearNetwork() {
        guard isOpen, mayOutliveChannel, watch == nil, let endpoint else { return }
        watch = SocketWatch(of: descriptor, on: endpoint.driver.eventLoop, isReading: !endpoint.isHeld) {
            event in
            switch event {
            case .ready: self.onReady()
            case .eventLoopIsGone: self.fail()
            }
        }
        guard let watch else { return }
        channel?.close(promise: nil)
        // Not before, since SwiftNIO would see them.
        if descriptor.keepErrors() { watch.begin() } else { fail() }
    }

    private func onReady() {
        guard isOpen, let endpoint else { return }
        takeErrors()
        var turns = 0
        repeat {
            turns += 1
            let hasRead = readMore(for: endpoint)
            endpoint.driver.takeTurn()
            if !hasRead { break }
        } while turns < Self.turnsPerWakeUp
    }

    /// Hands on what has come.
    func takeErrors() {
        guard isOpen, watch != nil else { return }
        var count = 0
        while count < Self.errorsAtOnce, let (number, remote) = descriptor.nextError() {
            count += 1
            guard SystemError.isHint(number), remote.port != 0 else { continue }
            endpoint?.onUnreachable(remote)
        }
    }

    /// The system keeps no more than some kilobytes of them.
    private static var errorsAtOnce: Int { 1000 }
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
