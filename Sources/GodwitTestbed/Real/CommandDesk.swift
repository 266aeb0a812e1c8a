import Foundation
import GodwitWire
import MHQKit
import NIOConcurrencyHelpers

/// Listens at a socket on a thread of its own, and answers what is said.
final class CommandDesk: Sendable {
    /// Somebody who waits for an answer.
    struct Caller: Sendable {
        let address: NetworkAddress
        fileprivate let socket: DatagramSocket

        func answer(_ text: String) { socket.send(text, to: address) }
    }

    private let isOver = NIOLockedValueBox(false)
    private let finished = DispatchSemaphore(value: 0)

    private static let patience: Int64 = 50_000_000

    /// - Parameter hear: answers a text, at once or later.
    init(_ socket: DatagramSocket, _ hear: @escaping @Sendable (_ text: String, _ caller: Caller) -> Void) {
        Thread.detachNewThread { [self] in
            withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
                while !isOver.withLockedValue(\.self) { Self.turn(socket, buffer, hear) }
            }
            finished.signal()
        }
    }

    private static func turn(
        _ socket: DatagramSocket, _ buffer: UnsafeMutableRawBufferPointer, _ hear: (String, Caller) -> Void
    ) {
        DatagramSocket.wait(for: [socket.descriptor], patience)
        for datagram in socket.receive(buffer) ?? [] {
            hear(
                String(decoding: datagram.bytes, as: UTF8.self),
                Caller(address: datagram.peer, socket: socket))
        }
    }

    /// Hears nothing any more.
    func end() {
        isOver.withLockedValue { $0 = true }
        finished.wait()
        finished.signal()
    }
}

/// What the container's side is told to do. Whoever hears no answer says it again from the same port, and a datagram
/// may come twice, so that an order counts once however often it comes.
struct MoveOrders: Sendable {
    /// Each order once; they end with the order to shut down.
    let moves: AsyncStream<Void>
    private let move: AsyncStream<Void>.Continuation
    private let known = NIOLockedValueBox(Set<NetworkAddress>())

    init() { (moves, move) = AsyncStream.makeStream() }

    /// Answers a command.
    func hear(_ text: String, from caller: CommandDesk.Caller) {
        if text == ManagementMessage.shutdown { move.finish() }
        if text == ManagementMessage.migrate, known.withLockedValue({ $0.insert(caller.address).inserted }) {
            move.yield()
        }
        caller.answer("OK")
    }
}
