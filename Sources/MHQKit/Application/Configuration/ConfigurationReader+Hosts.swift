package import Godwit
import GodwitWire

extension ConfigurationReader {
    /// Looks up what members name a host by, so that ``ip(_:default:)`` knows it.
    ///
    /// - Parameter places: those members, such as `experiment.serverMigrationHost`.
    /// - Throws: a failure that names the member whose host is unknown.
    package func lookingUp(
        _ places: [String], with resolver: any QUICNameResolver
    ) async throws(Failure) -> ConfigurationReader {
        var result = self
        for place in places {
            guard let name = text(at: place), IPAddress(name) == nil, result.hosts[name] == nil else {
                continue
            }
            result.hosts[name] = try await address(of: name, place, resolver)
        }
        return result
    }

    private func address(
        of name: String, _ place: String, _ resolver: any QUICNameResolver
    ) async throws(Failure) -> IPAddress {
        let problem: String
        do {
            let addresses = try await resolver.addresses(of: name)
            // A server listens at one address, and the thesis's program and network know those of IPv4 only.
            if let address = addresses.first(where: { $0.v4 != nil }) ?? addresses.first { return address }
            problem = "it has no address"
        } catch QUICError.nameNotFound(_, let reason) {
            problem = reason
        } catch {
            problem = "\(error)"
        }
        throw Failure(
            ExitCode.noHost, "\(file): \(place): could not resolve the host \"\(name)\": \(problem)")
    }

    private func text(at place: String) -> String? {
        let names = place.split(separator: ".").map(String.init)
        guard let name = names.last else { return nil }
        var members = members
        for name in names.dropLast() {
            guard case .object(let inner)? = members[name] else { return nil }
            members = inner
        }
        return members[name]?.text
    }
}
