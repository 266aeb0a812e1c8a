import CGodwitSocket
import GodwitCore
import GodwitWire
import Testing

@testable import Godwit

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("UDP sockets")
struct SocketTests {
    #if os(Linux)
    // Holds: 9000-9.7-1, 9000-14-2, 9000-14-3
    @Test(
        "Every option is set: no fragments, ECN, packet information, trains, buffers (RFC 9000 section 14)",
        arguments: ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"])
    func options(address: String) throws {
        let socket = try SocketDescriptor(bindingTo: NetworkAddress(address)!, sharing: .never)
        defer { socket.close() }
        try expectOptions(of: socket)
    }

    @Test("Options that were lost are set again")
    func reapplying() throws {
        let socket = try SocketDescriptor(bindingTo: .anywhere, sharing: .never)
        defer { socket.close() }
        socket[IPPROTO_IPV6, IPV6_MTU_DISCOVER] = IPV6_PMTUDISC_DONT
        socket[IPPROTO_IP, IP_MTU_DISCOVER] = IP_PMTUDISC_DONT
        socket[IPPROTO_IPV6, IPV6_RECVTCLASS] = 0
        socket[IPPROTO_IP, IP_RECVTOS] = 0
        socket[17, 104] = 0
        try socket.configure()
        try expectOptions(of: socket)
    }

    private func expectOptions(of socket: SocketDescriptor) throws {
        // RFC 9000 section 14: no fragments, and the transport finds the path's MTU itself.
        #expect(socket[IPPROTO_IP, IP_MTU_DISCOVER] == IP_PMTUDISC_PROBE)
        #expect(socket[IPPROTO_IP, IP_RECVTOS] == 1)
        #expect(socket[17, 104] == 1)  // UDP_GRO
        #expect(socket.supportsTrains)
        #expect(socket[SOL_SOCKET, SO_RCVBUF] >= 4 << 20)
        #expect(socket[SOL_SOCKET, SO_SNDBUF] >= 4 << 20)
        guard socket.isIPv6 else {
            #expect(socket[IPPROTO_IP, IP_PKTINFO] == 1)
            return
        }
        #expect(socket[IPPROTO_IPV6, IPV6_MTU_DISCOVER] == IPV6_PMTUDISC_PROBE)
        #expect(socket[IPPROTO_IPV6, IPV6_RECVTCLASS] == 1)
        #expect(socket[IPPROTO_IPV6, 49] == 1)  // IPV6_RECVPKTINFO
        if socket.localAddress.ip.isUnspecified { #expect(socket[IPPROTO_IPV6, IPV6_V6ONLY] == 0) }
        #expect(socket[IPPROTO_IPV6, 70] == 1)  // IPV6_AUTOFLOWLABEL
    }
    #endif

    @Test("What can't leave from an address that the host has no more leaves from another")
    func lostAddress() throws {
        let server = try SocketDescriptor(bindingTo: NetworkAddress("0.0.0.0:0")!, sharing: .never)
        let client = try SocketDescriptor(bindingTo: NetworkAddress("127.0.0.1:0")!, sharing: .never)
        defer { for socket in [server, client] { socket.close() } }
        // One of those that are for documents, which no host has (RFC 5737 section 3).
        let gone = NetworkAddress("192.0.2.1", port: server.localAddress.port)!
        let problem = server.send(
            [1, 2, 3], segmentSize: nil, from: gone, to: client.localAddress, ecn: .notECT)
        #expect(problem == 0)
        let (bytes, arrival) = try client.receive()
        #expect(bytes == [1, 2, 3])
        #expect(
            arrival.remote.networkAddress == NetworkAddress("127.0.0.1", port: server.localAddress.port))
    }

    @Test("An address in use is found out, although the listener's own sockets share one")
    func sharing() throws {
        let first = try SocketDescriptor(bindingTo: NetworkAddress("127.0.0.1:0")!, sharing: .afterwards)
        defer { first.close() }
        let second = try SocketDescriptor(bindingTo: first.localAddress, sharing: .always)
        defer { second.close() }
        #expect(second.localAddress == first.localAddress)
        for sharing in [SocketDescriptor.Sharing.never, .afterwards] {
            #expect(
                throws: QUICError.socket(SocketFailure(.bind, first.localAddress, errorNumber: EADDRINUSE))
            ) {
                try SocketDescriptor(bindingTo: first.localAddress, sharing: sharing)
            }
        }
    }

    @Test(
        "A datagram leaves from the address that was chosen, with its ECN mark, and tells where it went",
        arguments: [
            (from: "0.0.0.0:0", source: "127.0.0.3", to: "127.0.0.2:0"),
            (from: "[::]:0", source: "127.0.0.3", to: "127.0.0.2:0"),
            (from: "[::]:0", source: "127.0.0.3", to: "[::]:0"),
            (from: "[::]:0", source: "::1", to: "[::]:0"),
        ])
    func sourceAddress(from: String, source: String, to: String) throws {
        let (sender, receiver) = (try Self.open(from), try Self.open(to))
        defer { [sender, receiver].forEach { $0.close() } }
        let local = NetworkAddress(source, port: sender.localAddress.port)!
        let ip =
            receiver.localAddress.ip.isUnspecified
            ? (local.isIPv4 ? IPAddress("127.0.0.2")! : local.ip) : receiver.localAddress.ip
        let remote = NetworkAddress(ip: ip, port: receiver.localAddress.port)
        let message = Array("hello".utf8)
        #expect(sender.send(message, segmentSize: nil, from: local, to: remote, ecn: .ect0) == 0)
        let (bytes, arrival) = try receiver.receive()
        #expect(bytes == message)
        #expect(arrival.remote.networkAddress == local)
        #expect(arrival.local.ip == remote.ip)
        #expect(arrival.ecn == ECNCodepoint.ect0.rawValue)
    }

    @Test("A train is sent by one call and arrives as one, with the size of its datagrams")
    func trains() throws {
        let (sender, receiver) = (try Self.open("127.0.0.1:0"), try Self.open("127.0.0.1:0"))
        defer { [sender, receiver].forEach { $0.close() } }
        let train = pattern(10 * 1200 + 300)
        let problem = sender.send(
            train, segmentSize: 1200, from: sender.localAddress, to: receiver.localAddress, ecn: .notECT)
        #expect(problem == 0)
        var (received, sizes): ([UInt8], Set<UInt16>) = ([], [])
        while received.count < train.count {
            let (bytes, arrival) = try receiver.receive()
            received += bytes
            sizes.insert(arrival.segment_size)
        }
        #expect(received == train)
        #expect(sizes.contains(1200) || sizes == [0])
    }

    // Holds: 9000-14-2
    @Test("A datagram larger than the interface takes is refused and not cut up (RFC 9000 section 14)")
    func tooLarge() throws {
        let (sender, receiver) = (try Self.open("127.0.0.1:0"), try Self.open("127.0.0.1:0"))
        defer { [sender, receiver].forEach { $0.close() } }
        let message = [UInt8](repeating: 0, count: 65_507 + 1)
        let problem = sender.send(
            message, segmentSize: nil, from: sender.localAddress, to: receiver.localAddress, ecn: .notECT)
        #expect(SystemError.isMessageTooLarge(problem))
    }

    private static func open(_ address: String) throws -> SocketDescriptor {
        try SocketDescriptor(bindingTo: NetworkAddress(address)!, sharing: .never)
    }
}
