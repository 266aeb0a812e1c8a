import GodwitCore
package import GodwitWire

/// Sees the datagrams of an endpoint's sockets as they are on the wire, on the endpoint's event loop.
///
/// An endpoint without one pays a comparison with nil for each train.
package protocol DatagramTap: AnyObject, Sendable {
    /// A datagram was handed to the system.
    func sent(_ datagram: SeenDatagram)
    /// A datagram has come.
    func received(_ datagram: SeenDatagram)
}

/// A datagram that a ``DatagramTap`` sees.
package struct SeenDatagram {
    /// Where it came from.
    package var source: NetworkAddress
    /// Where it went.
    package var destination: NetworkAddress
    /// Its ECN bits.
    package var ecn: ECNCodepoint
    /// Its bytes. Valid only during the call.
    package var bytes: UnsafeRawBufferPointer

    package init(
        source: NetworkAddress, destination: NetworkAddress, ecn: ECNCodepoint, bytes: UnsafeRawBufferPointer
    ) {
        self.source = source
        self.destination = destination
        self.ecn = ecn
        self.bytes = bytes
    }
}

extension DatagramTap {
    func sent(_ train: UnsafeRawBufferPointer, _ transmission: Transmission, by socket: NetworkAddress) {
        let source = transmission.local.ip.isUnspecified ? socket : transmission.local
        train.forEachDatagram(of: transmission.segmentSize) {
            sent(
                SeenDatagram(
                    source: source, destination: transmission.remote, ecn: transmission.ecn, bytes: $0))
        }
    }

    func received(_ train: UnsafeRawBufferPointer, _ arrival: Arrival) {
        train.forEachDatagram(of: arrival.segmentSize ?? train.count) {
            received(
                SeenDatagram(source: arrival.remote, destination: arrival.local, ecn: arrival.ecn, bytes: $0))
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func forEachDatagram(of size: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        var rest = self[...]
        while !rest.isEmpty {
            let datagram = UnsafeRawBufferPointer(rebasing: rest.prefix(Swift.max(1, size)))
            body(datagram)
            rest = rest.dropFirst(datagram.count)
        }
    }
}

extension QUICConnection {
    /// Reads all that has come to the endpoint's sockets before it returns, so that a tap has seen it.
    nonisolated(nonsending) package func readWhatHasCome() async {
        let loop = driver.loop
        // As a task of SwiftNIO's: those come when it has read from every socket that it was told of, for it holds
        // that there is something to read there.
        try? await loop.driver.eventLoop.submit {
            for socket in loop.sockets { while socket.readMore(for: loop) {} }
        }.get()
    }
}
