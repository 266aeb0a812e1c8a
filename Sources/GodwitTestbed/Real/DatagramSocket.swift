import CGodwitSocket
import Foundation
import GodwitWire
import MHQKit

/// A UDP socket of the network namespace in which it was opened.
final class DatagramSocket: Sendable {
    let descriptor: Int32
    let localAddress: NetworkAddress

    /// - Parameter address: where to bind; shared with nobody. Port 0 is any free one.
    /// - Throws: a failure that names the address and the system's reason.
    init(boundTo address: NetworkAddress) throws(Failure) {
        var name = godwit_address(address)
        descriptor = godwit_socket_open(&name, GODWIT_SHARING_NEVER)
        guard descriptor >= 0 else {
            throw Failure(ExitCode.system, "\(address): \(String(cString: strerror(-descriptor)))")
        }
        _ = godwit_socket_local_address(descriptor, &name)
        localAddress = name.networkAddress
    }

    deinit { if descriptor >= 0 { godwit_socket_close(descriptor) } }

    /// A datagram.
    struct Datagram {
        var bytes: [UInt8]
        var peer: NetworkAddress
        /// The two ECN bits.
        var ecn: UInt8 = 0
    }

    /// What came next: a train comes as its datagrams. Nil when there is nothing.
    func receive(_ buffer: UnsafeMutableRawBufferPointer) -> [Datagram]? {
        var incoming = godwit_incoming()
        let count = godwit_socket_receive(descriptor, buffer.baseAddress, buffer.count, &incoming)
        guard count >= 0 else { return nil }
        let size = incoming.segment_size == 0 ? max(count, 1) : Int(incoming.segment_size)
        return stride(from: 0, to: max(count, 1), by: size).map { start in
            Datagram(
                bytes: [UInt8](buffer[start..<min(count, start + size)]),
                peer: incoming.remote.networkAddress, ecn: incoming.ecn)
        }
    }

    /// What the system has no room for is lost, as in a network.
    func send(_ bytes: [UInt8], ecn: UInt8 = 0, to peer: NetworkAddress) {
        bytes.withUnsafeBytes {
            var outgoing = godwit_outgoing(
                bytes: $0.baseAddress, count: $0.count, segment_size: 0, ecn: ecn, has_source: false,
                remote: godwit_address(peer), source: godwit_address())
            _ = godwit_socket_send(descriptor, false, &outgoing)
        }
    }

    func send(_ text: String, to peer: NetworkAddress) { send(Array(text.utf8), to: peer) }

    /// Waits until something can be read from one of the sockets, or for so many nanoseconds.
    static func wait(for descriptors: [Int32], _ nanoseconds: Int64) {
        _ = godwit_socket_wait(descriptors, descriptors.count, max(0, nanoseconds))
    }
}

extension godwit_address {
    fileprivate init(_ address: NetworkAddress) {
        self.init(high: address.ip.high, low: address.ip.low, scope: address.ip.scope, port: address.port)
    }

    fileprivate var networkAddress: NetworkAddress {
        NetworkAddress(ip: IPAddress(high: high, low: low, scope: scope), port: port)
    }
}
