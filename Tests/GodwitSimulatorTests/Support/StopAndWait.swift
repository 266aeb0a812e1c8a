import GodwitSimulator
import GodwitWire

/// A toy transfer that survives everything a fault plan does: one chunk at a time, sent until it is
/// acknowledged, with a checksum over each datagram, by a client that any address may belong to.
///
/// A datagram is: kind, client, offset, total, payload, checksum.
enum StopAndWait {
    static let chunkSize = 1000
    static let headerSize = 32
    static let timeout = TimeSpan.milliseconds(800)

    struct Message {
        var isAcknowledgement: Bool
        var client: UInt64
        var offset: UInt64
        var total: UInt64
        var payload: [UInt8] = []

        func write(into buffer: UnsafeMutableRawBufferPointer) -> Int {
            let words = [isAcknowledgement ? 1 : 0, client, offset, total]
            for (index, word) in words.enumerated() {
                buffer.storeBytes(of: word.littleEndian, toByteOffset: 8 * index, as: UInt64.self)
            }
            UnsafeMutableRawBufferPointer(rebasing: buffer[headerSize...]).copyBytes(from: payload)
            let end = headerSize + payload.count
            let checksum = Self.checksum(UnsafeRawBufferPointer(rebasing: buffer[..<end]))
            buffer.storeBytes(of: checksum, toByteOffset: end, as: UInt64.self)
            return end + 8
        }

        init?(_ bytes: UnsafeRawBufferPointer) {
            let end = bytes.count - 8
            guard end >= headerSize,
                bytes.loadUnaligned(fromByteOffset: end, as: UInt64.self)
                    == Self.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
            else { return nil }
            let words = (0..<4).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
            (isAcknowledgement, client, offset, total) = (words[0] == 1, words[1], words[2], words[3])
            payload = [UInt8](bytes[headerSize..<end])
        }

        init(isAcknowledgement: Bool, client: UInt64, offset: UInt64, total: UInt64, payload: [UInt8] = []) {
            self.isAcknowledgement = isAcknowledgement
            self.client = client
            self.offset = offset
            self.total = total
            self.payload = payload
        }

        private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
            bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        }
    }

    static func direction(of client: UInt64) -> StreamDirection {
        StreamDirection(connection: client, stream: 0, sender: .client)
    }

    /// Uploads the bytes of a pattern.
    final class Client: SimulatedProgram {
        private let number: UInt64
        private let total: UInt64
        private let server: NetworkAddress
        private let local: NetworkAddress
        private var offset: UInt64 = 0
        private var isDue = true
        private var host: SimulatedHost?
        private(set) var isDone = false
        private(set) var nextDeadline: Instant?

        init(number: Int, total: Int, server: NetworkAddress) {
            self.number = UInt64(number)
            self.total = UInt64(total)
            self.server = server
            self.local = NetworkAddress(ip: server.isIPv4 ? .anyIPv4 : .anyIPv6, port: 0)
        }

        func start(on host: SimulatedHost, now: Instant) { self.host = host }

        func receive(
            _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
            to address: NetworkAddress, ecn: ECNCodepoint, now: Instant
        ) {
            for start in stride(from: 0, to: train.count, by: segmentSize) {
                let segment = train[start..<min(start + segmentSize, train.count)]
                guard let message = Message(UnsafeRawBufferPointer(rebasing: segment)),
                    message.isAcknowledgement,
                    message.offset > offset
                else { continue }
                offset = message.offset
                isDue = offset < total
                if !isDue { finish() }
            }
        }

        private func finish() {
            guard !isDone else { return }
            isDone = true
            nextDeadline = nil
            host?.report(.ended(connection: number, role: .client, outcome: "\(total) B"))
            host?.trace(total)
        }

        func transmit(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> SimulatedTransmission? {
            guard isDue, !isDone else { return nil }
            isDue = false
            nextDeadline = now + StopAndWait.timeout
            let end = min(offset + UInt64(StopAndWait.chunkSize), total)
            let payload = PayloadPattern(StopAndWait.direction(of: number)).bytes(offset..<end)
            let message = Message(
                isAcknowledgement: false, client: number, offset: offset, total: total, payload: payload)
            return SimulatedTransmission(count: message.write(into: buffer), remote: server, local: local)
        }

        func handleDeadline(now: Instant) { isDue = true }

        /// The clock may have jumped, so the old deadline says nothing.
        func resume(now: Instant, localAddress: NetworkAddress?, random: inout DeterministicRandom) {
            isDue = !isDone
        }
    }

    /// Takes uploads of any number of clients.
    final class Server: SimulatedProgram {
        private var received: [UInt64: UInt64] = [:]
        private var replies: [(Message, NetworkAddress, NetworkAddress)] = []
        private var host: SimulatedHost?

        func start(on host: SimulatedHost, now: Instant) { self.host = host }

        func receive(
            _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
            to local: NetworkAddress, ecn: ECNCodepoint, now: Instant
        ) {
            for start in stride(from: 0, to: train.count, by: segmentSize) {
                let segment = train[start..<min(start + segmentSize, train.count)]
                guard let message = Message(UnsafeRawBufferPointer(rebasing: segment)) else { continue }
                accept(message)
                let reply = Message(
                    isAcknowledgement: true, client: message.client, offset: received[message.client] ?? 0,
                    total: message.total)
                replies.append((reply, remote, local))
            }
        }

        private func accept(_ message: Message) {
            guard message.offset == received[message.client] ?? 0, !message.payload.isEmpty else { return }
            let direction = StopAndWait.direction(of: message.client)
            message.payload.withUnsafeBytes {
                host?.report(.received(direction, offset: message.offset, bytes: $0))
            }
            let end = message.offset + UInt64(message.payload.count)
            received[message.client] = end
            guard end == message.total else { return }
            host?.report(.finished(direction, size: end))
            host?.report(.ended(connection: message.client, role: .server, outcome: "\(end) B"))
        }

        func transmit(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> SimulatedTransmission? {
            guard !replies.isEmpty else { return nil }
            let (message, remote, local) = replies.removeFirst()
            return SimulatedTransmission(count: message.write(into: buffer), remote: remote, local: local)
        }

        var nextDeadline: Instant? { nil }
        func handleDeadline(now: Instant) {}
    }
}
