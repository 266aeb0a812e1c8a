import Foundation
import GodwitWire
import MHQKit

/// Network namespaces for the roles of one run, with the plan's own addresses, and the kernel's own link.
///
///     clients ──veth── router ──veth── server
///
/// The router's two devices have the queues. It sends on to the server whatever is for either of the server's
/// addresses; the server's kernel takes what is for the address that it has, and drops and counts the rest. The
/// container's side is on the router, which stays where it is.
final class NetemNetwork: TestNetwork {
    let fronts: [NetworkAddress]
    let nobody: [NetworkAddress]
    let clients: [IPAddress]
    let commands: NetworkAddress
    let names: [String: String] = [:]
    private let namespaces = NetworkNamespaces(["clients", "router", "server"])
    private let managementPort: UInt16
    private let tc: NetworkTool

    /// The router's own, of a network for benchmarks (RFC 2544 appendix C.2.2).
    private static let gateway = IPAddress(v4: 0xc612_0001)
    /// The roles' devices have addresses that are known beforehand: nobody has to ask for them, and nobody is told
    /// that an address which went has not answered.
    private static let hardware = ["clients": "02:00:00:00:00:01", "server": "02:00:00:00:00:02"]

    private init(_ plan: ExperimentPlan, _ tc: NetworkTool) {
        let addresses = plan.addresses
        self.tc = tc
        fronts = [addresses.source, addresses.destination].map(addresses.server)
        nobody = addresses.nobody.map(addresses.server)
        clients = addresses.client.compactMap { IPAddress($0) }
        commands = NetworkAddress(ip: Self.gateway, port: addresses.commandPort)
        managementPort = addresses.managementPort
    }

    // MARK: Making and removing

    /// Makes the namespaces and what is in them, but no queues.
    static func make(_ plan: ExperimentPlan, tc: NetworkTool = .tc) async throws -> NetemNetwork {
        let network = NetemNetwork(plan, tc)
        try await network.namespaces.make { try await network.setUp(plan) }
        return network
    }

    private func setUp(_ plan: ExperimentPlan) async throws {
        let router = namespaces.name("router")
        for (role, address) in Self.hardware {
            try await NetworkTool.ip.perform([
                "link add link0 address \(address) netns \(namespaces.name(role)) type veth "
                    + "peer name \(role) netns \(router)"
            ])
        }
        let known = clients.map { ("clients", $0) } + fronts.map { ("server", $0.ip) }
        try await namespaces.perform(
            ["link set lo up", "address add \(Self.gateway)/32 dev lo"]
                + Self.hardware.keys.map { "link set \($0) up" }
                + known.flatMap { role, address in
                    [
                        "route add \(address)/32 dev \(role)",
                        "neighbour add \(address) lladdr \(Self.hardware[role]!) dev \(role) nud permanent",
                    ]
                } + nobody.map { "route add blackhole \($0.ip)/32" },
            in: "router")
        try namespaces.inside("router") { () throws(Failure) in try Self.forward() }
        try await furnish("clients", clients[0])
        try await furnish("server", fronts[plan.firstPlace].ip)
    }

    private static func forward() throws(Failure) {
        let path = "/proc/sys/net/ipv4/ip_forward"
        let file = open(path, O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        guard file >= 0, write(file, "1", 1) == 1 else {
            throw Failure(ExitCode.system, "\(path): \(String(cString: strerror(errno)))")
        }
    }

    private func furnish(_ role: String, _ address: IPAddress) async throws {
        // A train of datagrams comes apart here, before the router's queues, which would lose it as one.
        try await namespaces.perform(
            ["link set lo up", "link set link0 gso_max_segs 1", "link set link0 up"], in: role)
        try await settle(role, address)
    }

    func remove() async { await namespaces.remove() }

    // MARK: The link

    func makeLink(_ shape: LinkShape) async throws -> any ServerLink {
        let router = namespaces.name("router")
        let toServer = NetemLines.toServer(
            shape.paths, loss: shape.loss, clients: clients, servers: fronts)
        let toClient = NetemLines.toClient(shape.paths, loss: shape.loss, servers: fronts)
        let commands = toServer.commands(on: "server") + toClient.commands(on: "clients")
        if !commands.isEmpty { try await tc.perform(commands, in: router) }
        return Link(network: self)
    }

    /// What the kernel carries.
    private struct Link: ServerLink {
        let network: NetemNetwork

        func hold(at place: Int) async throws {
            // The server may still speak from the address, but what is for it is none of its own any more.
            try await network.namespaces.perform(
                ["route delete local \(network.fronts[place].ip)/32 dev link0 table local"], in: "server")
        }

        // Before, the kernel would keep datagrams for the server that stands still.
        func release(at place: Int) async throws {
            try await network.settle("server", network.fronts[place].ip)
        }

        // Who has no address gets nothing.
        func part() {}
        func join(_ network: Int) {}
        var lost: Int { network.lost }
        func end() {}
    }

    private var lost: Int {
        let path = "/proc/thread-self/net/snmp"
        let text = try? namespaces.inside("server") { () throws(Failure) in
            try? String(contentsOfFile: path, encoding: .utf8)
        }
        return AddressErrors.count(text ?? "")
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

    func openDesk() throws(Failure) -> DatagramSocket { try namespaces.openInside("router") }
    func openOperator() throws(Failure) -> DatagramSocket { try namespaces.open(in: "router") }
    func openOrders() throws(Failure) -> DatagramSocket { try namespaces.open(in: "router") }
    func openClient() throws(Failure) -> DatagramSocket { try namespaces.open(in: "clients") }
    /// A socket in the server's place.
    func openServer(_ address: NetworkAddress) throws(Failure) -> DatagramSocket {
        try namespaces.open(address, in: "server")
    }

    // MARK: Roles

    func words(_ role: RunRole, _ program: [String]) -> [String] {
        namespaces.words(role == .container ? "router" : role.rawValue, program)
    }

    func networkSwitch(to place: Int) -> String { ManagementMessage.networkSwitch }

    func leave(_ place: Int) async throws { try await namespaces.clear("server") }
    // With the release.
    func arrive(at place: Int) {}
    func leaveClientNetwork() async throws { try await namespaces.clear("clients") }
    func enterClientNetwork(_ index: Int) async throws { try await settle("clients", clients[index]) }

    private func settle(_ role: String, _ address: IPAddress) async throws {
        try await namespaces.perform(
            [
                "address add \(address)/32 dev link0",
                "route replace default via \(Self.gateway) dev link0 onlink",
            ], in: role)
    }
}

/// How many packets a host has dropped because they were for none of its addresses.
enum AddressErrors {
    /// By the text of `/proc/net/snmp`, which has a line of names and one of values for each protocol.
    static func count(_ text: some StringProtocol) -> Int {
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("Ip: ") }.map {
            $0.split(separator: " ")
        }
        guard lines.count == 2, let index = lines[0].firstIndex(of: "InAddrErrors"), index < lines[1].count
        else { return 0 }
        return Int(lines[1][index]) ?? 0
    }
}
