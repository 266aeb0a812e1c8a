import Foundation
import Godwit
import GodwitWire
import NIOConcurrencyHelpers

/// Writes datagrams of sockets to a pcap file (raw IPv4, LINKTYPE_RAW, with nanoseconds).
final class DatagramCapture: Sendable {
    private struct State {
        var pending: [UInt8] = []
        var identification: UInt16 = 0
        var hasFailed = false
    }

    private let path: String
    private let descriptor: Int32
    private let state = NIOLockedValueBox(State())
    private static let batch = 1 << 18

    /// - Throws: a failure that names the option.
    init(path: String) throws(Failure) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Failure(ExitCode.cannotCreate, "--pcap: \(path): \(String(cString: strerror(errno)))")
        }
        state.withLockedValue { state in
            for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 65_535, 101] as [UInt32] {
                state.pending.append(littleEndian: word)
            }
        }
    }

    deinit { close(descriptor) }

    func write(_ datagram: SeenDatagram) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        state.withLockedValue { state in
            let size = UInt32(28 + datagram.bytes.count)
            state.pending.append(littleEndian: UInt32(truncatingIfNeeded: time.tv_sec))
            state.pending.append(littleEndian: UInt32(time.tv_nsec))
            state.pending.append(littleEndian: size)
            state.pending.append(littleEndian: size)
            state.identification &+= 1
            state.pending.append(ipv4: datagram, identification: state.identification)
            if state.pending.count > Self.batch { flush(&state) }
        }
    }

    /// Writes what is left.
    ///
    /// - Throws: a failure that names the option, if not everything could be written.
    func finish() throws(Failure) {
        let hasFailed = state.withLockedValue { state in
            flush(&state)
            return state.hasFailed
        }
        if hasFailed { throw Failure(ExitCode.ioError, "--pcap: \(path): not everything could be written") }
    }

    private func flush(_ state: inout State) {
        var rest = state.pending[...]
        while !rest.isEmpty, !state.hasFailed {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { state.hasFailed = true } else { rest = rest.dropFirst(count) }
        }
        state.pending.removeAll(keepingCapacity: true)
    }
}

extension [UInt8] {
    fileprivate mutating func append(littleEndian value: UInt32) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    /// The datagram with headers of IPv4 and UDP.
    fileprivate mutating func append(ipv4 datagram: SeenDatagram, identification: UInt16) {
        let start = count
        append(0x4500 | UInt16(datagram.ecn.rawValue))
        append(UInt16(truncatingIfNeeded: 28 + datagram.bytes.count))
        append(identification)
        // QUIC forbids fragmentation (RFC 9000 section 14), and says so on the wire.
        append(0x4000_4011 as UInt32)
        append(0 as UInt16)
        append(datagram.source.ip.v4 ?? 0)
        append(datagram.destination.ip.v4 ?? 0)
        patch(checksum(from: start, 0), at: start + 10)
        append(datagram.source.port)
        append(datagram.destination.port)
        append(UInt16(truncatingIfNeeded: 8 + datagram.bytes.count))
        append(0 as UInt16)
        append(contentsOf: datagram.bytes)
        // The pseudo-header's addresses are the last eight bytes of the IP header (RFC 768).
        let sum = checksum(from: start + 12, 17 + UInt64(8 + datagram.bytes.count))
        patch(sum == 0 ? 0xffff : sum, at: start + 26)
    }

    private mutating func patch(_ value: UInt16, at index: Int) {
        self[index] = UInt8(value >> 8)
        self[index + 1] = UInt8(value & 0xff)
    }

    /// RFC 1071.
    private func checksum(from start: Int, _ initial: UInt64) -> UInt16 {
        var sum = initial
        var index = start
        while index + 1 < count {
            sum += UInt64(self[index]) << 8 | UInt64(self[index + 1])
            index += 2
        }
        if index < count { sum += UInt64(self[index]) << 8 }
        while sum > 0xffff { sum = (sum >> 16) + (sum & 0xffff) }
        return ~UInt16(sum)
    }
}
