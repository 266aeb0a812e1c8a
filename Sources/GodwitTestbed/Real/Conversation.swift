import Foundation
import GodwitWire

/// Says things to somebody over UDP, and hears the answers.
final class Conversation: Sendable {
    private let socket: DatagramSocket
    private let peer: NetworkAddress

    init(with peer: NetworkAddress, over socket: DatagramSocket) { (self.peer, self.socket) = (peer, socket) }

    /// What is said next to us; nil when nothing is said in time.
    func listen(for patience: Duration) async -> String? {
        let socket = socket
        return await withCheckedContinuation { continuation in
            // Waiting is for threads that nobody else needs: those of a queue may all wait for something else.
            Thread.detachNewThread { continuation.resume(returning: Self.next(socket, patience)) }
        }
    }

    private static func next(_ socket: DatagramSocket, _ patience: Duration) -> String? {
        let end = ContinuousClock.now + patience
        return withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
            // A signal, of a process that has ended for one, may end the wait before its time.
            repeat {
                let left = end - ContinuousClock.now
                DatagramSocket.wait(for: [socket.descriptor], Int64(left / .nanoseconds(1)))
                if let datagram = socket.receive(buffer)?.first {
                    return String(decoding: datagram.bytes, as: UTF8.self)
                }
            } while ContinuousClock.now < end
            return nil
        }
    }

    /// What is said next to us other than that: whoever asked twice gets an answer twice.
    func listen(for patience: Duration, past answer: String) async -> String? {
        let end = ContinuousClock.now + patience
        while !Task.isCancelled, ContinuousClock.now < end {
            let heard = await listen(for: end - ContinuousClock.now)
            if heard != answer { return heard }
        }
        return nil
    }

    /// Says something until there is an answer.
    ///
    /// - Parameter patience: for each of the attempts.
    func ask(_ text: String, attempts: Int = 5, patience: Duration = .seconds(1)) async -> String? {
        for _ in 0..<attempts {
            socket.send(text, to: peer)
            if let answer = await listen(for: patience) { return answer }
            if Task.isCancelled { return nil }
        }
        return nil
    }
}
