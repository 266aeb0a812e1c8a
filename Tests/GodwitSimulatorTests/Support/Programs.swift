import GodwitSimulator
import GodwitWire

/// Sends what it was told to, when it was told to, and keeps what comes in.
final class Postbox: SimulatedProgram {
    struct Letter {
        var time: TimeSpan
        var remote: NetworkAddress
        var bytes: [UInt8]
        var ecn: ECNCodepoint = .notECT
        var local = NetworkAddress(ip: .anyIPv4, port: 0)
    }

    struct Arrival: Equatable {
        var time: TimeSpan
        var bytes: [UInt8]
        var segmentSize: Int
        var remote: NetworkAddress
        var local: NetworkAddress
        var ecn: ECNCodepoint
    }

    struct Resumption: Equatable {
        var time: TimeSpan
        var localAddress: NetworkAddress?
    }

    var letters: [Letter]
    private(set) var arrivals: [Arrival] = []
    private(set) var resumptions: [Resumption] = []
    private(set) var host: SimulatedHost?

    init(_ letters: [Letter] = []) { self.letters = letters }

    /// Sends `count` datagrams of `size` bytes, which say their number in their first byte.
    init(
        _ count: Int, size: Int = 100, to remote: NetworkAddress, every interval: TimeSpan = .zero,
        from start: TimeSpan = .zero, ecn: ECNCodepoint = .notECT,
        local: NetworkAddress = NetworkAddress(ip: .anyIPv4, port: 0)
    ) {
        letters = (0..<count).map { number in
            var bytes = [UInt8](repeating: 0, count: size)
            bytes[0] = UInt8(truncatingIfNeeded: number)
            return Letter(
                time: start + interval * Int64(number), remote: remote, bytes: bytes, ecn: ecn, local: local)
        }
    }

    /// The first byte of each datagram.
    var numbers: [UInt8] { arrivals.map { $0.bytes[0] } }
    var times: [TimeSpan] { arrivals.map(\.time) }

    func start(on host: SimulatedHost, now: Instant) { self.host = host }

    func receive(
        _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
        to local: NetworkAddress, ecn: ECNCodepoint, now: Instant
    ) {
        arrivals.append(
            Arrival(
                time: now - .zero, bytes: [UInt8](train), segmentSize: segmentSize, remote: remote,
                local: local,
                ecn: ecn))
    }

    func transmit(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> SimulatedTransmission? {
        guard let letter = letters.first, .zero + letter.time <= now else { return nil }
        letters.removeFirst()
        buffer.copyBytes(from: letter.bytes)
        return SimulatedTransmission(
            count: letter.bytes.count, remote: letter.remote, local: letter.local, ecn: letter.ecn)
    }

    var nextDeadline: Instant? { letters.first.map { .zero + $0.time } }
    func handleDeadline(now: Instant) {}

    func resume(now: Instant, localAddress: NetworkAddress?, random: inout DeterministicRandom) {
        resumptions.append(Resumption(time: now - .zero, localAddress: localAddress))
    }
}

/// Sends everything back to where it came from.
final class Echo: SimulatedProgram {
    private var replies: [(bytes: [UInt8], transmission: SimulatedTransmission)] = []
    private(set) var remotes: [NetworkAddress] = []

    func receive(
        _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
        to local: NetworkAddress, ecn: ECNCodepoint, now: Instant
    ) {
        remotes.append(remote)
        let transmission = SimulatedTransmission(
            count: train.count, segmentSize: segmentSize, remote: remote, local: local, ecn: ecn)
        replies.append(([UInt8](train), transmission))
    }

    func transmit(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> SimulatedTransmission? {
        guard !replies.isEmpty else { return nil }
        let reply = replies.removeFirst()
        buffer.copyBytes(from: reply.bytes)
        return reply.transmission
    }

    var nextDeadline: Instant? { nil }
    func handleDeadline(now: Instant) {}
}

/// The addresses of the tests, by a last number.
func address(_ number: UInt32, port: UInt16 = 443) -> NetworkAddress {
    NetworkAddress(ip: IPAddress(v4: 0xc000_0200 + number), port: port)
}

func privateAddress(_ number: UInt32, port: UInt16 = 5000) -> NetworkAddress {
    NetworkAddress(ip: IPAddress(v4: 0x0a00_0000 + number), port: port)
}

func milliseconds(_ counts: Int64...) -> [TimeSpan] { counts.map { .milliseconds($0) } }
