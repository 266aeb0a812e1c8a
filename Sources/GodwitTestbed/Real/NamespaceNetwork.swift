import CGodwitSocket
import Foundation
import GodwitWire
import MHQKit
import Synchronization

/// Network namespaces for the roles of one run, with the plan's own addresses.
///
///     clients ──veth── front │ link │ back ──veth── server
///
/// The sockets of the link lie in the two in the middle: in front with the server's addresses, behind with the
/// clients'. So each role sees the other's true address.
final class NamespaceNetwork: TestNetwork {
    let fronts: [NetworkAddress]
    let nobody: [NetworkAddress]
    let clients: [IPAddress]
    let commands: NetworkAddress
    let names: [String: String] = [:]
    private let prefix: String
    private let managementPort: UInt16

    private static let family = "mhq-run-"
    private static let count = Mutex(0)
    private static let roles = ["clients", "front", "back", "server"]

    private init(_ plan: ExperimentPlan, _ prefix: String) {
        let addresses = plan.addresses
        self.prefix = prefix
        fronts = [addresses.source, addresses.destination].map(addresses.server)
        nobody = addresses.nobody.map(addresses.server)
        clients = addresses.client.compactMap { IPAddress($0) }
        commands = NetworkAddress(ip: fronts[0].ip, port: addresses.commandPort)
        managementPort = addresses.managementPort
    }

    private func name(_ role: String) -> String { "\(prefix)-\(role)" }

    // MARK: Making and removing

    /// Makes the namespaces and what is in them.
    static func make(_ plan: ExperimentPlan) async throws -> NamespaceNetwork {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let network = NamespaceNetwork(
            plan, "\(family)\(ProcessInfo.processInfo.processIdentifier)-\(number)")
        do {
            try await network.setUp(plan)
            return network
        } catch {
            await network.remove()
            throw error
        }
    }

    private func setUp(_ plan: ExperimentPlan) async throws {
        let (outside, inside) = (name("clients"), name("server"))
        let (front, back) = (name("front"), name("back"))
        try await NetworkTool.perform(
            Self.roles.map { "netns add \(name($0))" } + [
                "link add link0 netns \(outside) type veth peer name link0 netns \(front)",
                "link add link0 netns \(inside) type veth peer name link0 netns \(back)",
            ])
        let addresses = (fronts + nobody).map(\.ip)
        try await Self.furnish(outside, [clients[0]])
        try await Self.furnish(front, addresses)
        try await Self.furnish(back, clients)
        try await Self.furnish(inside, [fronts[plan.firstPlace].ip])
    }

    /// Whoever is not here is at the other end.
    private static func furnish(_ namespace: String, _ addresses: [IPAddress]) async throws {
        try await NetworkTool.perform(
            ["link set lo up"] + addresses.map { "address add \($0)/32 dev link0" }
                + ["link set link0 up", "route add default dev link0"],
            in: namespace)
    }

    func remove() async {
        // Also when the run was cancelled, and with it what it would start.
        let names = Self.roles.map(name)
        await Task.detached { for name in names { await Self.remove(name) } }.value
    }

    private static func remove(_ namespace: String) async {
        guard FileManager.default.fileExists(atPath: "/run/netns/\(namespace)") else { return }
        let processes = (try? await NetworkTool.output(["netns", "pids", namespace])) ?? ""
        for process in processes.split(separator: "\n").compactMap({ pid_t($0) }) { kill(process, SIGKILL) }
        _ = try? await NetworkTool.output(["netns", "delete", namespace])
    }

    /// Removes namespaces of programs that are no more.
    static func removeLeftovers() async {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
        for name in names where Leftovers.isAbandoned(name, prefix: family) { await remove(name) }
    }

    // MARK: Addresses

    var servers: [NetworkAddress] { fronts }
    // The server is wherever its host is.
    var host: IPAddress { .anyIPv4 }
    var handoverListener: IPAddress { .anyIPv4 }

    func management(at place: Int) -> NetworkAddress {
        NetworkAddress(ip: fronts[place].ip, port: managementPort)
    }

    // MARK: Sockets

    func openFront(_ address: NetworkAddress) throws(Failure) -> DatagramSocket {
        try open(address, in: "front")
    }

    func openBack(for client: NetworkAddress, isShaped: Bool) throws(Failure) -> DatagramSocket {
        try open(isShaped ? client : NetworkAddress(ip: client.ip, port: 0), in: "back")
    }

    func openOperator() throws(Failure) -> DatagramSocket {
        try open(NetworkAddress(ip: .anyIPv4, port: 0), in: "back")
    }

    func openHandover() throws(Failure) -> DatagramSocket {
        try open(NetworkAddress(ip: .anyIPv4, port: 0), in: "front")
    }

    func openClient() throws(Failure) -> DatagramSocket {
        try open(NetworkAddress(ip: .anyIPv4, port: 0), in: "clients")
    }

    /// A socket stays in the namespace where its thread was when it was opened.
    private func open(_ address: NetworkAddress, in role: String) throws(Failure) -> DatagramSocket {
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
        return try DatagramSocket(boundTo: address)
    }

    // MARK: Roles

    func words(_ role: Role, _ program: [String]) -> [String] {
        ["ip", "netns", "exec", name(role == .server ? "server" : "clients")] + program
    }

    func networkSwitch(to place: Int) -> String { ManagementMessage.networkSwitch }

    func leave(_ place: Int) async throws { try await Self.clear(name("server")) }

    func arrive(at place: Int) async throws { try await Self.settle(name("server"), fronts[place].ip) }

    func leaveClientNetwork() async throws { try await Self.clear(name("clients")) }

    func enterClientNetwork(_ index: Int) async throws {
        try await Self.settle(name("clients"), clients[index])
    }

    /// With the last address the routes go as well.
    private static func clear(_ namespace: String) async throws {
        try await NetworkTool.perform(["address flush dev link0"], in: namespace)
    }

    private static func settle(_ namespace: String, _ address: IPAddress) async throws {
        try await NetworkTool.perform(
            ["address add \(address)/32 dev link0", "route replace default dev link0"], in: namespace)
    }
}
