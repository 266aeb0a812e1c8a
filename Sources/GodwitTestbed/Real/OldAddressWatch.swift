import Foundation
import GodwitWire
import MHQKit

/// Checks that what is sent to an address that a server has left is neither answered nor kept for the server.
///
/// It sends what every QUIC server answers: a long header of a version that does not exist (RFC 9000 section 6). The
/// answer that there was before the move is the proof that silence means something.
struct OldAddressWatch {
    private let socket: DatagramSocket
    /// Datagrams of this watch that were sent to where the server was not.
    private(set) var sent = 0

    init(_ socket: DatagramSocket) { self.socket = socket }

    /// Of the greasing kind, so that no server ever has it (RFC 9000 section 15).
    private static let probe: [UInt8] = {
        var bytes: [UInt8] = [
            0xc0, 0x5a, 0x6a, 0x7a, 0x8a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 7, 6, 5, 4, 3, 2, 1,
        ]
        bytes += [UInt8](repeating: 0, count: 1200 - bytes.count)
        return bytes
    }()

    /// Whether the server at the address answers.
    func isAnswered(at address: NetworkAddress) async -> Bool {
        let conversation = Conversation(with: address, over: socket)
        for _ in 0..<10 {
            socket.send(Self.probe, to: address)
            if await conversation.listen(for: .milliseconds(500)) != nil { return true }
        }
        return false
    }

    /// Forgets answers that are still on their way when the server stands still.
    func drain() { while hasAnswer() {} }

    /// Says something to an address where nobody is to be.
    mutating func probe(_ address: NetworkAddress) {
        socket.send(Self.probe, to: address)
        sent += 1
    }

    /// Whether there was an answer to what was sent since.
    func hasAnswer() -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { socket.receive($0) != nil }
    }
}

/// The sockets of a process as the system's table lists them.
enum SocketTable {
    /// How many bytes wait to be read at the addresses, by the text of `/proc/net/udp`.
    static func waiting(_ text: some StringProtocol, at addresses: [NetworkAddress]) -> Int {
        let wanted = Set(addresses.map(name))
        return text.split(separator: "\n").dropFirst().reduce(0) { sum, line in
            let fields = line.split(separator: " ")
            guard fields.count > 4, wanted.contains(String(fields[1])) else { return sum }
            let queues = fields[4].split(separator: ":")
            return sum + (queues.count == 2 ? Int(queues[1], radix: 16) ?? 0 : 0)
        }
    }

    /// As the table writes it: the address as a number of this machine's, the port as one of the network's.
    private static func name(_ address: NetworkAddress) -> String {
        String(format: "%08X:%04X", (address.ip.v4 ?? 0).bigEndian, address.port)
    }

    /// How many bytes wait to be read at the addresses in the network of a process.
    static func waiting(in process: pid_t, at addresses: [NetworkAddress]) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(process)/net/udp", encoding: .utf8)) ?? ""
        return waiting(text, at: addresses)
    }
}
