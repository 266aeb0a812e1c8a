package import GodwitSimulator
import GodwitWire

/// The paths between clients and the two places of the server.
package struct PlanNetwork: Codable, Hashable, Sendable {
    /// To and from where the server begins.
    package var source: PlanPath
    /// To and from where it goes.
    package var destination: PlanPath
    /// Whether each path is alike in both directions: half of what is said of the way to the server each, and its
    /// rate. Else only what clients send is delayed and limited, as in the thesis.
    package var symmetric: Bool
}

/// What is between clients and one place.
package struct PlanPath: Codable, Hashable, Sendable {
    /// From client to server.
    package var toServer: PlanLink
    /// From server to client.
    package var toClient: PlanLink
}

/// One direction of a path.
package struct PlanLink: Codable, Hashable, Sendable {
    /// In milliseconds.
    package var delay: Double
    /// What chance adds at most, in milliseconds.
    package var jitter: Double
    /// In Mbit/s; nil for no limit.
    package var rate: UInt64?
    /// Packets that wait at most.
    package var queue: Int
    /// The part of datagrams that are lost; nil for half of what the series loses of round trips.
    package var loss: Double?

    /// What a simulated link is made with.
    ///
    /// - Parameter loss: the part of datagrams that are lost where the link does not say it itself.
    package func parameters(loss: Double) -> LinkParameters {
        LinkParameters(
            delay: TimeSpan(Duration.milliseconds(delay)), jitter: TimeSpan(Duration.milliseconds(jitter)),
            rate: rate.map { .megabitsPerSecond($0) }, queue: QueueLimit(packets: queue),
            loss: self.loss ?? loss)
    }
}

extension PlanNetwork {
    /// The path with ``symmetric`` taken into account.
    package func path(_ path: PlanPath) -> PlanPath {
        guard symmetric else { return path }
        var half = path.toServer
        half.delay /= 2
        half.jitter /= 2
        half.loss = half.loss.map { $0 / 2 }
        return PlanPath(toServer: half, toClient: half)
    }
}
