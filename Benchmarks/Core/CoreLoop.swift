import CGodwitSocket
import Foundation
import GodwitCore
import GodwitCrypto
import GodwitWire
import MHQKit

/// What uses the connections of a ``CoreLoop``.
protocol CoreApplication: AnyObject {
    func handle(_ event: ConnectionEvent, of connection: Connection, now: Instant) throws
}

/// An endpoint of GodwitCore on a UDP socket, moved by system calls and by nothing else.
///
/// It makes the same system calls in the same order as the driver in Godwit, so what Godwit costs more than this
/// is the price of event loops, tasks and copies.
final class CoreLoop {
    let endpoint: Endpoint
    let localAddress: NetworkAddress
    private let socket: CInt
    private let supportsTrains: Bool
    private let epoch = CoreLoop.uptime()
    private let sendBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_000, alignment: 64)
    private let receiveBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)

    /// How many trains are read in a row, and how many are sent before the socket is looked at again.
    private static let trainsPerRound = 16

    init(bindingTo address: NetworkAddress, _ configuration: EndpointConfiguration) throws {
        endpoint = Endpoint(configuration: configuration, entropy: Entropy(seed: SystemEntropy.seed()))
        var local = godwit_address(address)
        socket = godwit_socket_open(&local, GODWIT_SHARING_NEVER)
        guard socket >= 0, godwit_socket_local_address(socket, &local) == 0 else {
            throw Failure(ExitCode.system, "\(address): no socket can be bound to it")
        }
        localAddress = local.networkAddress
        supportsTrains = godwit_socket_supports_trains(socket)
    }

    deinit {
        godwit_socket_close(socket)
        sendBuffer.deallocate()
        receiveBuffer.deallocate()
    }

    var now: Instant { Instant(nanoseconds: CoreLoop.uptime() - epoch) }

    private static func uptime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Goes on until `isDone`, which is asked whenever there is nothing left to do at once.
    func run(_ application: some CoreApplication, until isDone: () -> Bool) throws {
        while true {
            try tell(application)
            let hasMore = transmit()
            if isDone() { return }
            receive(timeout: hasMore ? 0 : timeout)
            try tell(application)
            if let deadline = endpoint.nextDeadline, deadline <= now { endpoint.handleDeadline(now: now) }
        }
    }

    private func tell(_ application: some CoreApplication) throws {
        while let event = endpoint.nextEvent() {
            // A connection that is accepted needs nothing done before its first stream.
            guard case .connection(let handle, let event) = event,
                let connection = endpoint.connection(handle)
            else { continue }
            try application.handle(event, of: connection, now: now)
        }
    }

    /// In milliseconds, rounded up, for `poll`.
    private var timeout: CInt {
        guard let deadline = endpoint.nextDeadline else { return -1 }
        return CInt(clamping: max(0, ((deadline - now).nanoseconds + 999_999) / 1_000_000))
    }

    // MARK: In

    private func receive(timeout: CInt) {
        guard wait(for: POLLIN, timeout) else { return }
        var arrival = godwit_incoming()
        for _ in 0..<Self.trainsPerRound {
            let count = godwit_socket_receive(
                socket, receiveBuffer.baseAddress, receiveBuffer.count, &arrival)
            guard count > 0 else { return }
            let local = arrival.has_local ? arrival.local.networkAddress.ip : localAddress.ip
            endpoint.receive(
                UnsafeMutableRawBufferPointer(rebasing: receiveBuffer[..<count]),
                segmentSize: arrival.segment_size == 0 ? count : Int(arrival.segment_size),
                from: arrival.remote.networkAddress, to: NetworkAddress(ip: local, port: localAddress.port),
                ecn: ECNCodepoint(rawValue: arrival.ecn) ?? .notECT, now: now)
        }
    }

    private func wait(for event: Int32, _ timeout: CInt) -> Bool {
        var descriptor = pollfd(fd: socket, events: Int16(event), revents: 0)
        return poll(&descriptor, 1, timeout) > 0
    }

    // MARK: Out

    /// Returns whether there may be more to send.
    private func transmit() -> Bool {
        for _ in 0..<Self.trainsPerRound {
            let now = now
            guard let transmission = endpoint.transmit(into: sendBuffer, now: now) else { return false }
            send(transmission, now: now)
        }
        return true
    }

    private func send(_ transmission: Transmission, now: Instant) {
        let step = supportsTrains ? transmission.count : transmission.segmentSize
        for start in stride(from: 0, to: transmission.count, by: step) {
            let bytes = sendBuffer[start..<min(start + step, transmission.count)]
            let problem = send(UnsafeRawBufferPointer(rebasing: bytes), transmission)
            guard problem == EMSGSIZE else { continue }
            endpoint.onMessageTooLarge(
                size: transmission.segmentSize, from: transmission.local, to: transmission.remote, now: now)
        }
    }

    /// Waits where the system has no room. What it refuses otherwise is lost, as datagrams may be.
    private func send(_ bytes: UnsafeRawBufferPointer, _ transmission: Transmission) -> CInt {
        let chooses = localAddress.ip.isUnspecified && !transmission.local.ip.isUnspecified
        let isTrain = bytes.count > transmission.segmentSize
        var outgoing = godwit_outgoing(
            bytes: bytes.baseAddress, count: bytes.count,
            segment_size: isTrain ? UInt16(transmission.segmentSize) : 0,
            ecn: transmission.ecn.rawValue, has_source: chooses, remote: godwit_address(transmission.remote),
            source: godwit_address(transmission.local))
        var problem = godwit_socket_send(socket, !localAddress.isIPv4, &outgoing)
        while problem == EAGAIN || problem == ENOBUFS {
            _ = wait(for: POLLOUT, 1)
            problem = godwit_socket_send(socket, !localAddress.isIPv4, &outgoing)
        }
        return problem
    }
}

extension godwit_address {
    init(_ address: NetworkAddress) {
        self.init(high: address.ip.high, low: address.ip.low, scope: address.ip.scope, port: address.port)
    }

    var networkAddress: NetworkAddress {
        NetworkAddress(ip: IPAddress(high: high, low: low, scope: scope), port: port)
    }
}
