import Foundation
import GodwitWire
import MHQKit

/// What the container's side is told when it starts.
struct ContainerConfiguration: Codable {
    /// Where the server can be.
    struct Place: Codable {
        /// The server's port of QUIC, as the server has it.
        @Written var server: NetworkAddress
        @Written var management: NetworkAddress
        /// What to tell the server once it goes on there.
        var networkSwitch: String
    }

    /// The words that start the server.
    var server: [String]
    /// Where orders are taken.
    @Written var commands: NetworkAddress
    /// Where the network is asked to let go of the server and to take it; see ``NetworkRequest``.
    @Written var network: NetworkAddress
    /// Source and destination.
    var places: [Place]
    /// At which of them the server begins.
    var place: Int
    /// What each move takes, as many as there may be.
    var moves: [ContainerPhases]

    /// - Throws: a failure that names the file, and the member at fault.
    static func read(_ path: String) throws(Failure) -> ContainerConfiguration {
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            throw Failure(ExitCode.noInput, "\(path): can't be read")
        }
        do {
            let found = try JSONDecoder().decode(Self.self, from: data)
            guard let problem = found.problem else { return found }
            throw Failure(ExitCode.configuration, "\(path): \(problem)")
        } catch let failure as Failure { throw failure } catch {
            let problem = (error as? DecodingError).map(ExperimentPlan.describe) ?? "\(error)"
            throw Failure(ExitCode.configuration, "\(path): \(problem)")
        }
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(self).write(to: URL(fileURLWithPath: path))
    }

    private var problem: String? {
        if server.isEmpty { return "server: names no program" }
        if places.count != 2 { return "places: are not two" }
        if !places.indices.contains(place) { return "place: is neither 0 nor 1" }
        let spans = moves.flatMap { [$0.beforeFreeze, $0.frozen] }
        return spans.allSatisfy { 0...86400 ~= $0 } ? nil : "moves: take no time from 0 s to a day"
    }
}

/// An address that stands in a file as people write it.
@propertyWrapper struct Written: Codable {
    var wrappedValue: NetworkAddress

    init(wrappedValue: NetworkAddress) { self.wrappedValue = wrappedValue }

    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let address = NetworkAddress(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: text))
        }
        wrappedValue = address
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode("\(wrappedValue)")
    }
}
