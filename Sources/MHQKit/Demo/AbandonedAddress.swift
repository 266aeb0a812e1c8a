import Foundation
import GodwitWire

/// The address that the server has left, held so that nobody else has it and whatever comes there is counted.
///
/// It is bound without sharing, which the system grants only when no other socket has the address: so nothing
/// that is sent there can be answered by anybody, or wait for the server.
final class AbandonedAddress: Sendable {
    let address: NetworkAddress
    private let descriptor: Int32

    /// - Throws: ``DemoFault`` when the address belongs to somebody still.
    init(_ address: NetworkAddress) throws {
        self.address = address
        guard let descriptor = LoopbackAddress.bind(address) else {
            throw DemoFault("\(address) was not let go of: \(String(cString: strerror(errno)))")
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// How many datagrams have come since this was last asked. Nobody answers them.
    func count() -> Int {
        var count = 0
        var byte: UInt8 = 0
        while recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 { count += 1 }
        return count
    }
}

/// The addresses that a demo's server has, one after the other.
enum LoopbackAddress {
    /// 127.0.0.1 and those behind it.
    static func make(_ index: Int, port: UInt16) -> NetworkAddress {
        NetworkAddress("127.0.0.\(index + 1):\(port)")!
    }

    /// A port that is free at so many addresses.
    static func freePort(at count: Int) throws -> UInt16 {
        for _ in 0..<64 {
            let port = UInt16.random(in: 20_000...59_999)
            let sockets = (0..<count).compactMap { bind(make($0, port: port)) }
            for socket in sockets { close(socket) }
            if sockets.count == count { return port }
        }
        throw Failure(ExitCode.system, "no port is free at 127.0.0.1 to 127.0.0.\(count)")
    }

    /// A UDP socket at the address, shared with nobody; nil if it can't be had.
    static func bind(_ address: NetworkAddress) -> Int32? {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = address.port.bigEndian
        name.sin_addr.s_addr = (address.ip.v4 ?? 0).bigEndian
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return descriptor }
        close(descriptor)
        return nil
    }
}
