import GodwitWire
import MHQKit

/// Who is a process of its own, by where it is.
enum RunRole: String {
    case server
    case client = "clients"
    /// Has the server, freezes it and lets it go on elsewhere.
    case container
}

/// Where the roles of a run are and how they reach each other.
protocol TestNetwork: Sendable {
    /// The server's port of QUIC, as clients know it: at the source and at the destination.
    var fronts: [NetworkAddress] { get }
    /// What else a pool holds; nobody is there, and nobody says so.
    var nobody: [NetworkAddress] { get }
    /// The server's port of QUIC as the server has it, at both places.
    var servers: [NetworkAddress] { get }
    /// Where the server's configuration tells it to listen.
    var host: IPAddress { get }
    /// A client's own address in each of its networks.
    var clients: [IPAddress] { get }
    /// Where a client listens for orders to change networks.
    var handoverListener: IPAddress { get }
    /// Where the container's side takes commands.
    var commands: NetworkAddress { get }
    /// What addresses are called in results.
    var names: [String: String] { get }

    /// The server's own management interface while the server is there.
    func management(at place: Int) -> NetworkAddress

    /// Makes what carries datagrams here, with the server at its first place.
    ///
    /// - Throws: a failure that names what can't be had.
    func makeLink(_ shape: LinkShape) async throws -> any ServerLink
    /// A socket that the container's side can ask.
    func openDesk() throws(Failure) -> DatagramSocket
    /// A socket to speak to the server's management from, past the link.
    func openOperator() throws(Failure) -> DatagramSocket
    /// A socket to give clients and the container's side orders from, past the link.
    func openOrders() throws(Failure) -> DatagramSocket
    /// A socket among the clients' own.
    func openClient() throws(Failure) -> DatagramSocket

    /// The words that run the program in a role's place.
    func words(_ role: RunRole, _ program: [String]) -> [String]

    /// What to tell the server once it goes on at a place.
    func networkSwitch(to place: Int) -> String
    /// The server's address goes.
    func leave(_ place: Int) async throws
    /// The server gets the address, and is frozen.
    func arrive(at place: Int) async throws
    /// The client has no network.
    func leaveClientNetwork() async throws
    /// The client is in one of its networks.
    func enterClientNetwork(_ index: Int) async throws

    /// Leaves nothing behind.
    func remove() async
}

/// One where a ``UserSpaceLink`` is between clients and server: clients know the server by addresses in front of it,
/// and the server has addresses of its own behind it.
protocol RelayedNetwork: TestNetwork {
    /// A socket on the clients' side of the link.
    func openFront(_ address: NetworkAddress) throws(Failure) -> DatagramSocket
    /// A socket on the server's side of the link that takes a client's place.
    func openBack(for client: NetworkAddress, isShaped: Bool) throws(Failure) -> DatagramSocket
}

extension RelayedNetwork {
    func makeLink(_ shape: LinkShape) throws -> any ServerLink { try UserSpaceLink(shape, in: self) }
}

extension ExperimentPlan {
    /// Where the server begins, 0 for the source: where it stays in the experiment without a move.
    var firstPlace: Int { experiment == 0 ? 1 : 0 }
}

extension PlanAddresses {
    /// Every address of the plan once, in a fixed order: the source's and the destination's first.
    var allServers: [String] { [source, destination] + nobody }
}
