import Godwit
import GodwitWire
import NIOConcurrencyHelpers

/// Sees every datagram of one client's socket, and so knows who has answered: not what the client believes,
/// but what the system says of where a datagram came from.
final class DemoTap: DatagramTap {
    private struct State {
        var latest: NetworkAddress?
        var received: [NetworkAddress: Int] = [:]
    }

    private let state = NIOLockedValueBox(State())
    private let capture: DatagramCapture?

    init(capture: DatagramCapture?) { self.capture = capture }

    func sent(_ datagram: SeenDatagram) { capture?.write(datagram) }

    func received(_ datagram: SeenDatagram) {
        capture?.write(datagram)
        state.withLockedValue { state in
            state.latest = datagram.source
            state.received[datagram.source, default: 0] += 1
        }
    }

    /// Where the last datagram came from.
    var latest: NetworkAddress? { state.withLockedValue { $0.latest } }

    /// How many datagrams came from an address so far.
    func count(from address: NetworkAddress) -> Int {
        state.withLockedValue { $0.received[address, default: 0] }
    }
}
