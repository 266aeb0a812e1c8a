import Foundation
import GodwitWire

/// The queues that make a device's egress the lines of a plan, as `tc` is told of them: a netem for each path, and
/// filters that know a datagram's path by its addresses. All else goes past them.
struct NetemLines: Hashable {
    /// The datagrams of one direction of a path, and what becomes of them.
    private struct Line: Hashable {
        /// As filters of the kind u32 ask for them.
        var match: [String]
        /// As netem is told; nil where there is nothing to do.
        var netem: [String]?
    }

    private var lines: [Line] = []

    /// From each of the clients' networks to the server at each place.
    ///
    /// - Parameter loss: of a round trip; each direction that has no loss of its own loses half of it.
    static func toServer(
        _ paths: PlanNetwork, loss: Double, clients: [IPAddress], servers: [NetworkAddress]
    ) -> NetemLines {
        var lines = NetemLines()
        let places = [paths.source, paths.destination].map { paths.path($0).toServer }
        for (network, client) in clients.enumerated() {
            // In the other network of a client the source is as far as the destination was.
            let links = network.isMultiple(of: 2) ? places : places.reversed()
            for (server, link) in zip(servers, links) {
                lines.add(
                    link, loss / 2,
                    ["ip src \(client)/32", "ip dst \(server.ip)/32", "ip dport \(server.port) 0xffff"])
            }
        }
        return lines
    }

    /// From the server at each place to clients wherever they are.
    ///
    /// - Parameter loss: of a round trip; each direction that has no loss of its own loses half of it.
    static func toClient(_ paths: PlanNetwork, loss: Double, servers: [NetworkAddress]) -> NetemLines {
        var lines = NetemLines()
        let places = [paths.source, paths.destination].map { paths.path($0).toClient }
        for (server, link) in zip(servers, places) {
            lines.add(link, loss / 2, ["ip src \(server.ip)/32", "ip sport \(server.port) 0xffff"])
        }
        return lines
    }

    private mutating func add(_ link: PlanLink, _ loss: Double, _ match: [String]) {
        let match = (match + ["ip protocol 17 0xff"]).flatMap { ["match", $0] }
        lines.append(Line(match: match, netem: Self.netem(link, link.loss ?? loss)))
    }

    // MARK: What netem is told

    /// The headers of Ethernet, which netem would count and plans don't.
    private static let ethernet = 14
    /// Bytes of what fills a line.
    private static let largestPacket = 1500.0
    /// In Mbit/s, of a line without a limit.
    private static let unlimited: UInt64 = 10_000

    /// Nil when datagrams arrive at once, and all of them.
    private static func netem(_ link: PlanLink, _ loss: Double) -> [String]? {
        guard link.delay > 0 || link.jitter > 0 || link.rate != nil || loss > 0 else { return nil }
        var words = ["limit", "\(limit(link))"]
        if link.jitter > 0 {
            // What the plan adds at most, netem adds and takes away half of.
            words += ["delay", "\(number(link.delay + link.jitter / 2))ms", "\(number(link.jitter / 2))ms"]
        } else if link.delay > 0 {
            words += ["delay", "\(number(link.delay))ms"]
        }
        if loss > 0 { words += ["loss", "random", "\(number(loss * 100))%"] }
        // Without a rate netem would let datagrams overtake each other by their jitter.
        if let rate = link.rate ?? (link.jitter > 0 ? unlimited : nil) {
            words += ["rate", "\(rate)mbit", "-\(ethernet)"]
        }
        return words
    }

    /// Besides those that wait, netem counts those that travel: as many as the line carries during its delay, and
    /// the one that is on it.
    static func limit(_ link: PlanLink) -> Int {
        let bits = Double(link.rate ?? unlimited) * (link.delay + link.jitter) * 1000
        let travelling = (bits / (8 * largestPacket)).rounded(.up)
        return max(0, min(link.queue, 1_000_000)) + 1 + Int(min(max(0, travelling), 1_000_000))
    }

    private static func number(_ value: Double) -> String { String(format: "%.6g", value) }

    // MARK: Commands

    /// What `tc` is told, a line each.
    func commands(on device: String) -> [String] {
        let shaped = lines.compactMap { line in line.netem.map { (match: line.match, netem: $0) } }
        guard !shaped.isEmpty else { return [] }
        let noFilter = Array(repeating: "0", count: 16).joined(separator: " ")
        var commands = [
            "qdisc add dev \(device) root handle 1: prio bands \(shaped.count + 1) priomap \(noFilter)"
        ]
        for (index, line) in shaped.enumerated() {
            let band = "1:" + String(index + 2, radix: 16)
            commands += [
                "qdisc add dev \(device) parent \(band) handle \(String(index + 16, radix: 16)): netem "
                    + line.netem.joined(separator: " "),
                "filter add dev \(device) parent 1: protocol ip prio 1 u32 "
                    + line.match.joined(separator: " ") + " flowid \(band)",
            ]
        }
        return commands
    }
}
