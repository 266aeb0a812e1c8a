import Dispatch
import Foundation
package import GodwitWire

/// Says something to a server's management interface, or to the container's side, over UDP.
package enum ManagementClient {
    /// How long to wait for an answer.
    private static let patience = 1
    /// How often to say it again.
    private static let repetitions = 5

    /// - Returns: the answer; nil when nobody answered, which the thesis's program takes as it comes.
    package static func ask(_ text: String, at address: NetworkAddress) async -> String? {
        await withCheckedContinuation { continuation in
            // Waiting is for threads that nobody else needs.
            DispatchQueue.global().async { continuation.resume(returning: exchange(text, address)) }
        }
    }

    private static func exchange(_ text: String, _ address: NetworkAddress) -> String? {
        guard let descriptor = connect(to: address) else { return nil }
        defer { close(descriptor) }
        for _ in 0...repetitions {
            let start = ContinuousClock.now
            let bytes = Array(text.utf8)
            _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            if let answer = receive(descriptor) { return answer }
            // A refusal comes at once, and somebody may be there soon.
            let rest = Duration.seconds(patience) - (ContinuousClock.now - start)
            if rest > .zero { usleep(UInt32(rest / .microseconds(1))) }
        }
        return nil
    }

    private static func receive(_ descriptor: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count >= 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    private static func connect(to address: NetworkAddress) -> Int32? {
        guard let ip = address.ip.v4 else { return connectIPv6(to: address) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = address.port.bigEndian
        name.sin_addr.s_addr = ip.bigEndian
        return connect(AF_INET, &name, MemoryLayout<sockaddr_in>.size)
    }

    private static func connectIPv6(to address: NetworkAddress) -> Int32? {
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = address.port.bigEndian
        guard inet_pton(AF_INET6, "\(address.ip)", &name.sin6_addr) == 1 else { return nil }
        return connect(AF_INET6, &name, MemoryLayout<sockaddr_in6>.size)
    }

    private static func connect(_ family: Int32, _ name: UnsafeRawPointer, _ size: Int) -> Int32? {
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { return nil }
        var time = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        let address = name.assumingMemoryBound(to: sockaddr.self)
        guard Foundation.connect(descriptor, address, socklen_t(size)) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}

/// The commands of the management interface as they are sent.
package enum ManagementMessage {
    /// Has a server prepare for a move.
    ///
    /// - Parameters:
    ///   - name: as the interface calls the protocol.
    ///   - address: where it goes; for Explicit only.
    ///   - asksForReadiness: whether to be told when all connections are ready.
    package static func notice(
        _ name: ApplicationProtocol, to address: NetworkAddress, asksForReadiness: Bool = false
    ) -> String {
        var line = JSONLine()
        line.add("action", "onImminentServerMigration")
        line.add("protocol", name.managementName)
        if name.managementName == "Explicit" { line.add("address", "\(address)") }
        if asksForReadiness { line.add("notifyMigrationReady", true) }
        return line.finished()
    }

    /// The process goes on, elsewhere perhaps.
    package static let networkSwitch = #"{"action":"onNetworkSwitch"}"#
    /// The end.
    package static let shutdown = #"{"action":"shutdown"}"#
    /// To the container's side.
    package static let migrate = "migrate"
}
