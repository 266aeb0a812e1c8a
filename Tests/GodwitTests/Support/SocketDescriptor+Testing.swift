import CGodwitSocket
import GodwitWire
import Testing

@testable import Godwit
@testable import GodwitCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension SocketDescriptor {
    /// The value of an option.
    subscript(level: some BinaryInteger, name: some BinaryInteger) -> CInt {
        get {
            var (value, length): (CInt, socklen_t) = (-1, socklen_t(MemoryLayout<CInt>.size))
            getsockopt(number, CInt(level), CInt(name), &value, &length)
            return value
        }
        nonmutating set {
            var value = newValue
            setsockopt(number, CInt(level), CInt(name), &value, socklen_t(MemoryLayout<CInt>.size))
        }
    }

    func send(
        _ bytes: [UInt8], segmentSize: Int?, from local: NetworkAddress, to remote: NetworkAddress,
        ecn: ECNCodepoint
    ) -> CInt {
        let transmission = Transmission(
            count: bytes.count, segmentSize: segmentSize ?? bytes.count, remote: remote, local: local,
            ecn: ecn)
        return bytes.withUnsafeBytes { send($0, segmentSize: segmentSize, transmission) }
    }

    /// Waits for a datagram; it has been sent already, over the loopback interface.
    func receive() throws -> (bytes: [UInt8], arrival: godwit_incoming) {
        var poll = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        try #require(Glibc.poll(&poll, 1, 10_000) == 1)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var arrival = godwit_incoming()
        let count = buffer.withUnsafeMutableBytes { receive(into: $0, &arrival) }
        try #require(count >= 0)
        return (Array(buffer[..<count]), arrival)
    }
}
