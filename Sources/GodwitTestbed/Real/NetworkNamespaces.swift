import CGodwitSocket
import Foundation
import GodwitWire
import MHQKit
import NIOConcurrencyHelpers

/// The network namespaces of one run, a role each. Their names bear this program's number.
struct NetworkNamespaces: Sendable {
    let roles: [String]
    private let prefix: String

    private static let family = "mhq-run-"
    private static let count = NIOLockedValueBox(0)

    /// Chooses names that nobody else has; ``make()`` makes them.
    init(_ roles: [String]) {
        self.roles = roles
        let number = Self.count.withLockedValue { count in
            count += 1
            return count
        }
        prefix = "\(Self.family)\(ProcessInfo.processInfo.processIdentifier)-\(number)"
    }

    func name(_ role: String) -> String { "\(prefix)-\(role)" }

    // MARK: Making and removing

    func make() async throws { try await NetworkTool.ip.perform(roles.map { "netns add \(name($0))" }) }

    /// Makes them, does something with them, and leaves none behind if that fails.
    func make(_ body: () async throws -> Void) async throws {
        do {
            try await make()
            try await body()
        } catch {
            await remove()
            throw error
        }
    }

    func remove() async {
        // Also when the run was cancelled, and with it what it would start.
        let names = roles.map(name)
        await Task.detached { for name in names { await Self.remove(name) } }.value
    }

    private static func remove(_ namespace: String) async {
        guard FileManager.default.fileExists(atPath: "/run/netns/\(namespace)") else { return }
        let processes = (try? await NetworkTool.ip.output(["netns", "pids", namespace])) ?? ""
        for process in processes.split(separator: "\n").compactMap({ pid_t($0) }) { kill(process, SIGKILL) }
        _ = try? await NetworkTool.ip.output(["netns", "delete", namespace])
    }

    /// Removes namespaces of programs that are no more.
    static func removeLeftovers() async {
        for name in known where Leftovers.isAbandoned(name, prefix: family) { await remove(name) }
    }

    /// Removes namespaces of one program, whether it is gone or not.
    static func removeLeftovers(of program: pid_t) async {
        for name in known where name.hasPrefix("\(family)\(program)-") { await remove(name) }
    }

    private static var known: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
    }

    // MARK: What is in them

    /// Carries out several commands in one of them.
    func perform(_ lines: [String], in role: String) async throws {
        try await NetworkTool.ip.perform(lines, in: name(role))
    }

    /// Takes all addresses from the device in one of them; with the last one the routes go as well.
    func clear(_ role: String) async throws {
        try await perform(["address flush dev link0"], in: role)
    }

    /// Does something as one who is in one of them. A socket stays where its thread was when it was opened.
    func inside<Result>(_ role: String, _ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let home = Foundation.open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        let there = Foundation.open("/run/netns/\(name(role))", O_RDONLY | O_CLOEXEC)
        defer {
            close(home)
            close(there)
        }
        guard home >= 0, there >= 0, godwit_network_enter(there) == 0 else {
            throw Failure(ExitCode.system, "\(name(role)): \(String(cString: strerror(errno)))")
        }
        defer {
            // A thread that others use as well can't be left there.
            precondition(godwit_network_enter(home) == 0, "the network namespace can't be left")
        }
        return try body()
    }

    func open(_ address: NetworkAddress, in role: String) throws(Failure) -> DatagramSocket {
        try inside(role) { () throws(Failure) in try DatagramSocket(boundTo: address) }
    }

    /// A socket with any free port.
    func open(in role: String) throws(Failure) -> DatagramSocket {
        try open(NetworkAddress(ip: .anyIPv4, port: 0), in: role)
    }

    /// A socket that is reached from within alone.
    func openInside(_ role: String) throws(Failure) -> DatagramSocket {
        try open(NetworkAddress(ip: IPAddress(v4: 0x7f00_0001), port: 0), in: role)
    }

    /// The words that run a program in one of them.
    func words(_ role: String, _ program: [String]) -> [String] {
        ["ip", "netns", "exec", name(role)] + program
    }
}
