import CGodwitSocket
import GodwitCore
import GodwitWire

/// A bound UDP socket as the system knows it. Whoever has opened it closes it.
struct SocketDescriptor {
    /// Who else may bind to the same address.
    enum Sharing {
        case never
        /// Nobody at first, so that an address in use is found out; the endpoint's own sockets later.
        case afterwards
        /// The endpoint's other sockets.
        case always
    }

    let number: CInt
    let isIPv6: Bool
    /// With the port that the system chose if none was asked for.
    let localAddress: NetworkAddress

    init(bindingTo local: NetworkAddress, sharing: Sharing) throws(QUICError) {
        var address = godwit_address(local)
        let number = godwit_socket_open(&address, sharing.forSystem)
        guard number >= 0 else { throw .socket(SocketFailure(.bind, local, errorNumber: -number)) }
        let problem = godwit_socket_local_address(number, &address)
        guard problem == 0 else {
            godwit_socket_close(number)
            throw .socket(SocketFailure(.bind, local, errorNumber: problem))
        }
        self.number = number
        self.isIPv6 = !local.isIPv4
        self.localAddress = address.networkAddress
    }

    /// Sets every option again.
    func configure() throws(QUICError) {
        let problem = godwit_socket_configure(number)
        guard problem == 0 else {
            throw .socket(SocketFailure(.configure, localAddress, errorNumber: problem))
        }
    }

    /// Whether the system splits trains into datagrams (GSO).
    var supportsTrains: Bool { godwit_socket_supports_trains(number) }

    /// For a descriptor that no channel has taken over.
    func close() { godwit_socket_close(number) }

    /// An IPv6 socket at the wildcard address serves IPv4 too.
    func canReach(_ remote: NetworkAddress) -> Bool {
        remote.isIPv4 == !isIPv6 || isIPv6 && localAddress.ip.isUnspecified
    }

    /// Whether datagrams from `local` can leave here.
    func covers(_ local: NetworkAddress) -> Bool {
        localAddress == local
            || localAddress.port == local.port && localAddress.ip.isUnspecified && (isIPv6 || local.isIPv4)
    }

    /// Sends a datagram or, with a segment size, a train. Returns the errno, or 0.
    func send(
        _ bytes: UnsafeRawBufferPointer, segmentSize: Int?, _ transmission: Transmission
    ) -> CInt {
        let chooses = localAddress.ip.isUnspecified && !transmission.local.ip.isUnspecified
        var outgoing = godwit_outgoing(
            bytes: bytes.baseAddress, count: bytes.count,
            segment_size: segmentSize.map { UInt16(truncatingIfNeeded: $0) } ?? 0,
            ecn: transmission.ecn.rawValue, has_source: chooses, remote: godwit_address(transmission.remote),
            source: godwit_address(transmission.local))
        let problem = godwit_socket_send(number, isIPv6, &outgoing)
        // A process that was carried to another host has the address no more; from which one it is heard there, the
        // system knows.
        guard chooses, SystemError.mayBlameSource(problem) else { return problem }
        outgoing.has_source = false
        return godwit_socket_send(number, isIPv6, &outgoing)
    }

    /// Receives a datagram or a train.
    ///
    /// - Returns: how many bytes came, or the errno negated.
    func receive(into buffer: UnsafeMutableRawBufferPointer, _ arrival: inout godwit_incoming) -> Int {
        godwit_socket_receive(number, buffer.baseAddress, buffer.count, &arrival)
    }
}

extension SocketDescriptor.Sharing {
    fileprivate var forSystem: godwit_sharing {
        switch self {
        case .never: GODWIT_SHARING_NEVER
        case .afterwards: GODWIT_SHARING_AFTERWARDS
        case .always: GODWIT_SHARING_ALWAYS
        }
    }
}
