import Foundation
import MHQKit
import NIOConcurrencyHelpers

/// Listens at a socket on a thread of its own, and answers what is said.
final class CommandDesk: Sendable {
    private let isOver = NIOLockedValueBox(false)
    private let finished = DispatchSemaphore(value: 0)

    private static let patience: Int64 = 50_000_000

    /// - Parameter answer: what to say to a text; nil for nothing.
    init(_ socket: DatagramSocket, _ answer: @escaping @Sendable (String) -> String?) {
        Thread.detachNewThread { [self] in
            withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
                while !isOver.withLockedValue(\.self) { Self.turn(socket, buffer, answer) }
            }
            finished.signal()
        }
    }

    private static func turn(
        _ socket: DatagramSocket, _ buffer: UnsafeMutableRawBufferPointer, _ answer: (String) -> String?
    ) {
        DatagramSocket.wait(for: [socket.descriptor], patience)
        for datagram in socket.receive(buffer) ?? [] {
            let answer = answer(String(decoding: datagram.bytes, as: UTF8.self))
            if let answer { socket.send(answer, to: datagram.peer) }
        }
    }

    /// Hears nothing any more.
    func end() {
        isOver.withLockedValue { $0 = true }
        finished.wait()
        finished.signal()
    }
}

/// What the container's side is told to do. A run has one move: whoever hears no answer says it again, and a datagram
/// may come twice, so that the order counts once however often it comes.
struct MoveOrders: Sendable {
    /// The order, once.
    let moves: AsyncStream<Void>
    private let move: AsyncStream<Void>.Continuation

    init() { (moves, move) = AsyncStream.makeStream() }

    /// What to say to a command.
    func answer(_ text: String) -> String {
        if text == ManagementMessage.migrate {
            move.yield()
            move.finish()
        }
        return "OK"
    }
}
