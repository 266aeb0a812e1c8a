import GodwitCore
import GodwitWire
import Testing

@testable import Godwit

#if os(Linux)
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("IPv6 flow labels")
struct FlowLabelTests {
    // Holds: 9000-9.7-1
    @Test(
        "Two local ports of one client show different labels, and each its own all along (RFC 9000 section 9.7)"
    )
    func labels() throws {
        let receiver = try SocketDescriptor(bindingTo: NetworkAddress("[::1]:0")!, sharing: .never)
        defer { receiver.close() }
        receiver[IPPROTO_IPV6, 11] = 1  // IPV6_FLOWINFO
        // The label is a hash of 20 bits: of so many senders hardly two share one.
        let labels = try (0..<8).map { _ in
            let sender = try SocketDescriptor(bindingTo: NetworkAddress("[::]:0")!, sharing: .never)
            defer { sender.close() }
            let first = try label(ofDatagramFrom: sender, to: receiver)
            #expect(try label(ofDatagramFrom: sender, to: receiver) == first)
            #expect(first != 0)
            return first
        }
        #expect(Set(labels).count >= 7)
    }

    /// The 20 bits of the label, as the receiver's control message shows them.
    private func label(ofDatagramFrom sender: SocketDescriptor, to receiver: SocketDescriptor) throws
        -> UInt32
    {
        let local = NetworkAddress("[::1]:\(sender.localAddress.port)")!
        try #require(
            sender.send([1], segmentSize: nil, from: local, to: receiver.localAddress, ecn: .notECT) == 0)
        var poll = pollfd(fd: receiver.number, events: Int16(POLLIN), revents: 0)
        try #require(Glibc.poll(&poll, 1, 10_000) == 1)
        var control = [UInt8](repeating: 0, count: 256)
        var byte: UInt8 = 0
        let length = control.withUnsafeMutableBytes { control in
            withUnsafeMutableBytes(of: &byte) { byte in
                var vector = iovec(iov_base: byte.baseAddress, iov_len: 1)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    (message.msg_iov, message.msg_iovlen) = (vector, 1)
                    (message.msg_control, message.msg_controllen) = (control.baseAddress, control.count)
                    return recvmsg(receiver.number, &message, 0) < 0 ? 0 : message.msg_controllen
                }
            }
        }
        return try #require(flowInformation(in: control[..<length])) & 0xf_ffff
    }

    /// Walks the control messages: a header of the length (8 bytes), level and type (4 each), then the
    /// content.
    private func flowInformation(in control: ArraySlice<UInt8>) -> UInt32? {
        var rest = control
        while rest.count >= MemoryLayout<cmsghdr>.size {
            let header = rest.withUnsafeBytes { $0.loadUnaligned(as: cmsghdr.self) }
            if header.cmsg_level == IPPROTO_IPV6, header.cmsg_type == 11 {
                return rest.withUnsafeBytes {
                    UInt32(
                        bigEndian: $0.loadUnaligned(
                            fromByteOffset: MemoryLayout<cmsghdr>.size, as: UInt32.self))
                }
            }
            rest = rest.dropFirst((Int(header.cmsg_len) + 7) & ~7)
        }
        return nil
    }
}
#endif
