import GodwitCore
import GodwitCrypto
import GodwitWire
import MHQKit

/// The server of ``PerfProtocol`` without tasks: it does what it can when it is told of something.
final class CoreServer: CoreApplication {
    private struct Key: Hashable {
        var connection: ConnectionHandle
        var stream: StreamID
    }

    fileprivate struct Answer {
        var request: UInt64 = 0
        var requestBytes = 0
        var isComplete = false
        /// How many bytes of the answer have not been taken yet.
        var left: UInt64 = 0
    }

    private var answers: [Key: Answer] = [:]
    private let chunk = [UInt8](repeating: 0x5a, count: 64 << 10)

    func handle(_ event: ConnectionEvent, of connection: Connection, now: Instant) throws {
        switch event {
        case .stream(.opened(let id)): answers[Key(connection: connection.handle, stream: id)] = Answer()
        case .stream(.readable(let id)): try receive(id, connection, now)
        case .stream(.writable(let id)): try send(id, connection)
        case .stream(.resetByPeer(let id, _)), .stream(.stopSendingByPeer(let id, _)):
            answers[Key(connection: connection.handle, stream: id)] = nil
        case .closed: answers = answers.filter { $0.key.connection != connection.handle }
        default: break
        }
    }

    private func receive(_ id: StreamID, _ connection: Connection, _ now: Instant) throws {
        let key = Key(connection: connection.handle, stream: id)
        guard var answer = answers[key] else { return }
        var isFinished = false
        while !isFinished {
            let result = try connection.read(from: id, now: now) { answer.take($0) }
            isFinished = result.isFinished
            if result.remaining == 0 { break }
        }
        answer.isComplete = isFinished
        answer.left = answer.request
        answers[key] = answer
        if isFinished { try begin(answer, id, connection) }
    }

    private func begin(_ answer: Answer, _ id: StreamID, _ connection: Connection) throws {
        switch answer.request {
        case PerfProtocol.cpuTime:
            try finish(id, connection, PerfProtocol.processCPUTime.inMicroseconds)
        case PerfProtocol.memory: try finish(id, connection, PerfProtocol.processMemory)
        default: try send(id, connection)
        }
    }

    private func finish(_ id: StreamID, _ connection: Connection, _ value: UInt64) throws {
        _ = try withUnsafeBytes(of: value.bigEndian) { try connection.write($0, to: id, fin: true) }
        answers[Key(connection: connection.handle, stream: id)] = nil
    }

    private func send(_ id: StreamID, _ connection: Connection) throws {
        let key = Key(connection: connection.handle, stream: id)
        guard var answer = answers[key], answer.isComplete else { return }
        while true {
            let size = Int(min(answer.left, UInt64(chunk.count)))
            let isLast = UInt64(size) == answer.left
            let count = try chunk.withUnsafeBytes { bytes in
                try connection.write(UnsafeRawBufferPointer(rebasing: bytes[..<size]), to: id, fin: isLast)
            }
            answer.left -= UInt64(count)
            guard count == size, !isLast else { break }
        }
        answers[key] = answer.left > 0 ? answer : nil
    }
}

extension CoreServer.Answer {
    /// Takes bytes of a request, or of what is uploaded behind it.
    fileprivate mutating func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        for byte in bytes.prefix(PerfProtocol.requestSize - requestBytes) {
            request = request << 8 | UInt64(byte)
            requestBytes += 1
        }
        return bytes.count
    }
}
