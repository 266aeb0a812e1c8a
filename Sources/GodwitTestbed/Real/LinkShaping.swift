import GodwitWire
import MHQKit

/// Who delays, limits and loses datagrams between namespaces.
enum LinkShaping: Hashable, Sendable {
    /// The kernel, by netem.
    case netem
    /// A ``UserSpaceLink``, and what there is against netem.
    case userSpace(because: String)

    /// Finds out by making, in a namespace of our own that is removed again, queues of the kinds that runs need.
    ///
    /// - Throws: what makes it impossible to have namespaces; `CancellationError`.
    static func detect(_ tc: NetworkTool = .tc) async throws -> LinkShaping {
        let namespaces = NetworkNamespaces(["probe"])
        var shaping = LinkShaping.netem
        try await namespaces.make {
            do { try await tc.perform(sample, in: namespaces.name("probe")) } catch {
                try Task.checkCancellation()
                shaping = .userSpace(because: Self.reason(error))
            }
        }
        await namespaces.remove()
        return shaping
    }

    /// What the tool itself said.
    private static func reason(_ error: any Error) -> String {
        guard let failure = error as? Failure else { return "the command tc is missing" }
        return failure.message.split(separator: ": ", maxSplits: 1).last.map { "tc: \($0)" }
            ?? "tc has failed"
    }

    /// With all that plans can ask for.
    private static var sample: [String] {
        let link = PlanLink(delay: 1, jitter: 1, rate: 1, queue: 1)
        let path = PlanPath(toServer: link, toClient: link)
        let server = NetworkAddress(ip: IPAddress(v4: 0xc000_0201), port: 1)
        return NetemLines.toServer(
            PlanNetwork(source: path, destination: path, symmetric: false), loss: 0.1,
            clients: [IPAddress(v4: 0xc000_0202)], servers: [server, server]
        ).commands(on: "lo")
    }

    /// What figures have to be read with.
    var remark: String {
        switch self {
        case .netem:
            "delay, rate, loss and queue are those of netem, which loses others when it is done again"
        case .userSpace(let reason):
            "delay, rate, loss and queue are those of a link in user space, for want of netem (\(reason))"
        }
    }

    /// For people who wait.
    var name: String { if case .netem = self { "netem" } else { "a link in user space" } }

    /// A network of namespaces for a run.
    func makeNetwork(_ plan: ExperimentPlan) async throws -> any TestNetwork {
        switch self {
        case .netem: try await NetemNetwork.make(plan)
        case .userSpace: try await NamespaceNetwork.make(plan)
        }
    }
}
