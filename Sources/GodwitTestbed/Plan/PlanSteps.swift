package import GodwitMigration
package import GodwitWire

/// What clients and drivers do when, in milliseconds unless it says otherwise.
package struct PlanSteps: Codable, Hashable, Sendable {
    /// After which response the server is told that it is to move; 0 for never.
    package var noticeAfter: Int
    /// After which response the move is asked for; 0 for never.
    package var triggerAfter: Int
    /// After which response a client ends; 0 for never.
    package var shutdownAfter: Int
    /// Before the move is asked for.
    package var drain: Int
    /// How many responses from the new address end a client; 0 for no such end.
    package var responsesAfterMove: Int
    /// Between the starts of two clients.
    package var startSpacing: Int
    /// How much later than the others the last client starts.
    package var lastClientDelay: Int
    /// From the last start to the driver's notice; 0 when clients give it.
    package var noticeAt: Int
    /// From one handover of a client to the next; 0 for none.
    package var handoverEvery: Int
    /// How long each handover keeps a client from the network; as many handovers as entries.
    package var outages: [Int]
    /// Whether the server follows each handover.
    package var movesWithHandover: Bool
    /// From the last handover to the end.
    package var tail: Int
    /// How long a command takes to its receiver.
    package var commandDelay: Double
    /// Whether bodies are drawn from the distribution; else they are 1024 bytes.
    package var drawsBodies: Bool

    /// Nothing happens.
    package init() {
        (noticeAfter, triggerAfter, shutdownAfter) = (0, 0, 0)
        (drain, responsesAfterMove) = (2000, 0)
        (startSpacing, lastClientDelay, noticeAt) = (0, 0, 0)
        (handoverEvery, outages, movesWithHandover, tail) = (0, [], false, 0)
        (commandDelay, drawsBodies) = (0.15, false)
    }
}

/// Who is where: IP addresses of each role, and the server's ports.
package struct PlanAddresses: Codable, Hashable, Sendable {
    /// One, or one for each network that the client changes between.
    package var client: [String]
    package var source: String
    package var destination: String
    /// What else the pool holds; nobody is there.
    package var nobody: [String]
    package var port: UInt16
    package var managementPort: UInt16
    /// Of the container-migration side.
    package var commandPort: UInt16
}

extension PlanAddresses {
    /// What is wrong with them, in words.
    var problem: String? {
        let all =
            client.map { ("client", $0) } + [("source", source), ("destination", destination)]
            + nobody.map { ("nobody", $0) }
        if client.isEmpty { return "addresses.client: is empty" }
        if let (name, text) = all.first(where: { IPAddress($0.1) == nil }) {
            return "addresses.\(name): '\(text)' is no IP address"
        }
        for (index, (name, text)) in all.enumerated()
        where all[..<index].contains(where: { IPAddress($0.1) == IPAddress(text) }) {
            return "addresses.\(name): '\(text)' is somebody's already"
        }
        return port == 0 ? "addresses.port: is 0" : nil
    }

    /// Where the server begins, goes, or is not.
    package func server(_ text: String) -> NetworkAddress {
        NetworkAddress(ip: IPAddress(text) ?? .anyIPv4, port: port)
    }

    /// The addresses of a pool of that size: the destination first.
    package func pool(_ size: Int) -> AddressPool {
        AddressPool(([destination] + nobody).prefix(size).map { server($0) }) ?? AddressPool()
    }
}
