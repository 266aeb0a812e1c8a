import Foundation
import GodwitWire
import MHQKit
import NIOConcurrencyHelpers

/// The loopback network of this machine. Each run has addresses of it that no other has.
final class LoopbackNetwork: RelayedNetwork {
    let fronts: [NetworkAddress]
    let nobody: [NetworkAddress]
    let servers: [NetworkAddress]
    let clients: [IPAddress]
    let handoverListener: IPAddress
    let commands: NetworkAddress
    let names: [String: String]
    /// The server is bound to this very address, and its management stays there when the server goes.
    let host: IPAddress
    private let managementPort: UInt16
    private let slot: Int
    /// Holds the slot against other programs, and is where the container's side asks.
    private let claim: DatagramSocket
    private let bystander: IPAddress
    private let backstage: IPAddress

    /// The parts of this machine's runs that are in use, 127.1.x.x to 127.250.x.x.
    private static let taken = NIOLockedValueBox(Set<Int>())
    private static let slots = 1...250

    /// - Throws: a failure when no part of the loopback network is free.
    init(_ plan: ExperimentPlan) throws(Failure) {
        let addresses = plan.addresses
        (slot, claim) = try Self.takeSlot(addresses.commandPort)
        let slot = slot
        func own(_ part: Int, _ index: Int) -> IPAddress {
            IPAddress(v4: 127 << 24 | UInt32(slot) << 16 | UInt32(part) << 8 | UInt32(index + 1))
        }
        let known = addresses.allServers
        let all = known.indices.map { NetworkAddress(ip: own(1, $0), port: addresses.port) }
        (fronts, nobody) = (Array(all[..<2]), Array(all[2...]))
        servers = (0..<2).map { NetworkAddress(ip: own(2, $0), port: addresses.port) }
        host = servers[plan.firstPlace].ip
        clients = addresses.client.indices.map { own(3, $0) }
        handoverListener = own(6, 0)
        bystander = own(7, 0)
        backstage = own(4, 0)
        commands = NetworkAddress(ip: own(5, 0), port: addresses.commandPort)
        managementPort = addresses.managementPort
        names = Dictionary(
            zip(all, known).map { ("\($0)", "\(addresses.server($1))") },
            uniquingKeysWith: { first, _ in first })
    }

    private static func takeSlot(_ port: UInt16) throws(Failure) -> (Int, DatagramSocket) {
        // Programs side by side begin at different slots.
        let first = Int(ProcessInfo.processInfo.processIdentifier) * 7
        var problem = Failure(ExitCode.system, "no part of the loopback network is free")
        for number in slots {
            let slot = (first + number) % slots.count + 1
            guard taken.withLockedValue({ $0.insert(slot).inserted }) else { continue }
            do throws(Failure) {
                let ip = IPAddress(v4: 127 << 24 | UInt32(slot) << 16 | 5 << 8 | 2)
                return (slot, try DatagramSocket(boundTo: NetworkAddress(ip: ip, port: port)))
            } catch {
                problem = error
                taken.withLockedValue { _ = $0.remove(slot) }
            }
        }
        throw problem
    }

    func management(at place: Int) -> NetworkAddress {
        NetworkAddress(ip: host, port: managementPort)
    }

    func openFront(_ address: NetworkAddress) throws(Failure) -> DatagramSocket {
        try DatagramSocket(boundTo: address)
    }

    func openBack(for client: NetworkAddress, isShaped: Bool) throws(Failure) -> DatagramSocket {
        try DatagramSocket(boundTo: NetworkAddress(ip: backstage, port: 0))
    }

    func openOperator() throws(Failure) -> DatagramSocket {
        try DatagramSocket(boundTo: NetworkAddress(ip: backstage, port: 0))
    }

    func openDesk() -> DatagramSocket { claim }
    func openOrders() throws(Failure) -> DatagramSocket { try openOperator() }

    func openClient() throws(Failure) -> DatagramSocket {
        try DatagramSocket(boundTo: NetworkAddress(ip: bystander, port: 0))
    }

    func words(_ role: RunRole, _ program: [String]) -> [String] { program }

    /// All addresses are this machine's, so that the server has to be told which one is its own now.
    func networkSwitch(to place: Int) -> String {
        #"{"action":"onNetworkSwitch","address":"\#(servers[place])"}"#
    }

    func leave(_ place: Int) {}
    func arrive(at place: Int) {}
    func leaveClientNetwork() {}
    func enterClientNetwork(_ index: Int) {}

    func remove() { Self.taken.withLockedValue { _ = $0.remove(slot) } }
}
