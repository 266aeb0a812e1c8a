import GodwitSimulator
import MHQKit

/// What carries datagrams between clients and server, with the delay, rate and loss of the plan, and to the server
/// only where the server is.
///
/// What comes to a place where the server is not, or while it stands still, is lost: neither queued nor answered.
protocol ServerLink: Sendable {
    /// Nothing gets to the server any more, which is about to stand still.
    func hold(at place: Int) async throws
    /// The server is about to go on, and is at that place.
    func release(at place: Int) async throws
    /// The client has left its network.
    func part()
    /// The client is in one of its networks, from 0.
    func join(_ network: Int)
    /// Datagrams that were sent to where the server was not.
    var lost: Int { get }
    /// Carries nothing any more, and keeps nothing.
    func end()
}

/// What a link is made from.
struct LinkShape {
    var plan: ExperimentPlan
    var paths: PlanNetwork
    /// Of a round trip; each direction loses half of it.
    var loss: Double
    var random: DeterministicRandom
}
