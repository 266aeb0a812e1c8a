import CGodwitSocket
import GodwitWire
import NIOCore

/// What is known of a datagram, or of a train of them from one place (GRO), besides its bytes.
struct Arrival: Sendable {
    var remote: NetworkAddress
    /// The very address it was sent to, also where the socket is bound to a wildcard.
    var local: NetworkAddress
    var ecn: ECNCodepoint
    /// The size of each datagram but the last; nil for a single one.
    var segmentSize: Int?
    /// Whether the end of it was lost because there was more than fits a UDP datagram, which no peer sends.
    var isTruncated = false
}

extension Arrival {
    /// What a system call of our own has told.
    init(_ incoming: godwit_incoming, at socket: UDPSocket) {
        remote = incoming.remote.networkAddress
        local = NetworkAddress(
            ip: incoming.has_local ? incoming.local.ip : socket.localAddress.ip,
            port: socket.localAddress.port)
        ecn = ECNCodepoint(rawValue: incoming.ecn) ?? .notECT
        segmentSize = incoming.segment_size == 0 ? nil : Int(incoming.segment_size)
        isTruncated = incoming.is_truncated
    }

    /// What SwiftNIO has told.
    init(
        _ metadata: AddressedEnvelope<ByteBuffer>.Metadata?, from remote: NetworkAddress, at socket: UDPSocket
    ) {
        self.remote = remote
        let destination = (metadata?.packetInfo?.destinationAddress).flatMap { NetworkAddress($0) }
        local = NetworkAddress(ip: destination?.ip ?? socket.localAddress.ip, port: socket.localAddress.port)
        ecn = metadata.map { ECNCodepoint($0.ecnState) } ?? .notECT
        segmentSize = metadata?.segmentSize
    }
}

extension ECNCodepoint {
    fileprivate init(_ state: NIOExplicitCongestionNotificationState) {
        switch state {
        case .transportNotCapable: self = .notECT
        case .transportCapableFlag0: self = .ect0
        case .transportCapableFlag1: self = .ect1
        case .congestionExperienced: self = .congestionExperienced
        }
    }
}
