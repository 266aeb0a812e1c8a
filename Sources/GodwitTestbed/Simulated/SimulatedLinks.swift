import GodwitSimulator
import GodwitWire

/// The shaped links of a run. Each place of the server has a queue of its own, which all clients share.
struct SimulatedLinks {
    private let plan: ExperimentPlan
    /// To the source and to the destination, from each place of the client.
    private var toServer: [[LinkID]] = []
    private let fromSource: LinkID
    private let fromDestination: LinkID

    init(_ plan: ExperimentPlan, _ series: ExperimentPlan.Series, _ network: SimulatedNetwork) {
        self.plan = plan
        let paths = plan.networks[series.network]!
        let (near, far) = (paths.path(paths.source), paths.path(paths.destination))
        let loss = series.loss / 2
        fromSource = network.addLink(near.toClient.parameters(loss: loss), named: "from the source")
        fromDestination = network.addLink(far.toClient.parameters(loss: loss), named: "from the destination")
        for place in plan.addresses.client.indices {
            // In the other network of a client the source is as far as the destination was.
            let ways = place % 2 == 0 ? [near, far] : [far, near]
            toServer.append(
                zip(["source", "destination"], ways).map { name, way in
                    network.addLink(way.toServer.parameters(loss: loss), named: "\(place) to the \(name)")
                })
        }
    }

    /// The server's end.
    func server(isAtSource: Bool) -> Interface {
        let addresses = plan.addresses
        return Interface(
            addresses.server(isAtSource ? addresses.source : addresses.destination),
            egress: isAtSource ? fromSource : fromDestination)
    }

    /// A client's end in one of its networks.
    func client(_ index: Int, place: Int) -> Interface {
        let addresses = plan.addresses
        let ip = IPAddress(addresses.client[place]) ?? .anyIPv4
        return Interface(
            NetworkAddress(ip: ip, port: 50_000 + UInt16(index)),
            routes: [
                Route(to: addresses.server(addresses.source).ip, over: toServer[place][0]),
                Route(to: addresses.server(addresses.destination).ip, over: toServer[place][1]),
            ])
    }
}

/// Counts what is sent to an address that the server has left: it has to be lost.
final class LostDatagrams: Checker {
    let name = "old address"
    private(set) var count = 0
    private(set) var delivered = 0
    private var left: Set<IPAddress> = []

    /// The server stands still, or has gone.
    func watch(_ address: IPAddress) { left.insert(address) }
    /// The server is there again.
    func spare(_ address: IPAddress) { left.remove(address) }

    func check(_ event: TraceEvent, payload: UnsafeRawBufferPointer) -> String? {
        guard !left.isEmpty, left.contains(event.destination.ip) else { return nil }
        if event.kind == .dropped { count += 1 }
        if event.kind == .delivered { delivered += 1 }
        return nil
    }
}
