import GodwitWire
import MHQKit

/// Network namespaces for the roles of one run, with the plan's own addresses and a link in user space.
///
///     clients ──veth── front │ link │ back ──veth── server
///
/// The sockets of the link lie in the two in the middle: in front with the server's addresses, behind with the
/// clients'. So each role sees the other's true address. In front is the container's side as well: like the link it is
/// there wherever the server is.
final class NamespaceNetwork: RelayedNetwork {
    let fronts: [NetworkAddress]
    let nobody: [NetworkAddress]
    let clients: [IPAddress]
    let commands: NetworkAddress
    let names: [String: String] = [:]
    private let namespaces = NetworkNamespaces(["clients", "front", "back", "server"])
    private let managementPort: UInt16

    private init(_ plan: ExperimentPlan) {
        let addresses = plan.addresses
        fronts = [addresses.source, addresses.destination].map(addresses.server)
        nobody = addresses.nobody.map(addresses.server)
        clients = addresses.client.compactMap { IPAddress($0) }
        commands = NetworkAddress(ip: fronts[0].ip, port: addresses.commandPort)
        managementPort = addresses.managementPort
    }

    // MARK: Making and removing

    /// Makes the namespaces and what is in them.
    static func make(_ plan: ExperimentPlan) async throws -> NamespaceNetwork {
        let network = NamespaceNetwork(plan)
        try await network.namespaces.make { try await network.setUp(plan) }
        return network
    }

    private func setUp(_ plan: ExperimentPlan) async throws {
        for (outer, inner) in [("clients", "front"), ("server", "back")] {
            let ends = [outer, inner].map(namespaces.name)
            try await NetworkTool.ip.perform([
                "link add link0 netns \(ends[0]) type veth peer name link0 netns \(ends[1])"
            ])
        }
        try await furnish("clients", [clients[0]])
        try await furnish("front", (fronts + nobody).map(\.ip))
        try await furnish("back", clients)
        try await furnish("server", [fronts[plan.firstPlace].ip])
    }

    /// Whoever is not here is at the other end.
    private func furnish(_ role: String, _ addresses: [IPAddress]) async throws {
        try await namespaces.perform(
            ["link set lo up"] + addresses.map { "address add \($0)/32 dev link0" }
                + ["link set link0 up", "route add default dev link0"],
            in: role)
    }

    func remove() async { await namespaces.remove() }

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
        try namespaces.open(address, in: "front")
    }

    func openBack(for client: NetworkAddress, isShaped: Bool) throws(Failure) -> DatagramSocket {
        // What is said to operators may come from the container's side, which has no address behind the link.
        try namespaces.open(isShaped ? client : NetworkAddress(ip: .anyIPv4, port: 0), in: "back")
    }

    func openOperator() throws(Failure) -> DatagramSocket { try namespaces.open(in: "back") }
    func openDesk() throws(Failure) -> DatagramSocket { try namespaces.openInside("front") }
    func openOrders() throws(Failure) -> DatagramSocket { try namespaces.open(in: "front") }
    func openClient() throws(Failure) -> DatagramSocket { try namespaces.open(in: "clients") }

    // MARK: Roles

    func words(_ role: RunRole, _ program: [String]) -> [String] {
        namespaces.words(role == .container ? "front" : role.rawValue, program)
    }

    func networkSwitch(to place: Int) -> String { ManagementMessage.networkSwitch }

    func leave(_ place: Int) async throws { try await namespaces.clear("server") }
    func arrive(at place: Int) async throws { try await settle("server", fronts[place].ip) }
    func leaveClientNetwork() async throws { try await namespaces.clear("clients") }
    func enterClientNetwork(_ index: Int) async throws { try await settle("clients", clients[index]) }

    private func settle(_ role: String, _ address: IPAddress) async throws {
        try await namespaces.perform(
            ["address add \(address)/32 dev link0", "route replace default dev link0"], in: role)
    }
}
