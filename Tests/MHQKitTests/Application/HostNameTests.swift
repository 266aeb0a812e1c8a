import Godwit
import Testing

@testable import MHQKit

/// Hosts that a client's configuration names.
@Suite struct HostNameTests {
    private struct Names: QUICNameResolver {
        var known: [String: [String]]

        func addresses(of host: String) async throws -> [IPAddress] {
            guard let addresses = known[host] else {
                throw QUICError.nameNotFound(host: host, reason: "Name or service not known")
            }
            return addresses.compactMap { IPAddress($0) }
        }
    }

    private static let text = """
        {"serverHost": "near", "experiment": {"containerMigrationScriptHost": "host.example",
         "serverMigrationHost": "far"}}
        """

    private func read(
        _ text: String, _ resolver: any QUICNameResolver
    ) async throws -> ApplicationClientConfiguration {
        try await .read(ConfigurationReader(file: "client.json", text: text), resolver: resolver)
    }

    @Test("Each of the three hosts may be a name; an address of IPv4 is preferred")
    func names() async throws {
        let names = Names(known: [
            "near": ["::1", "192.0.2.1"], "far": ["192.0.2.2", "192.0.2.3"], "host.example": ["2001:db8::1"],
        ])
        let settings = try await read(Self.text, names)
        #expect(settings.server == NetworkAddress("192.0.2.1:6666"))
        #expect(settings.experiment.serverManagement == NetworkAddress("192.0.2.1:7777"))
        #expect(settings.experiment.destination == NetworkAddress("192.0.2.2:6666"))
        #expect(settings.experiment.containerMigration == NetworkAddress("[2001:db8::1]:8080"))
        #expect(settings.warnings.isEmpty)
    }

    @Test("The system knows localhost")
    func localhost() async throws {
        let settings = try await read(#"{"serverHost": "localhost"}"#, SystemNameResolver())
        #expect(settings.server.ip.isLoopback)
    }

    @Test("Addresses are not looked up, nor what has no business here")
    func addresses() async throws {
        let settings = try await read(
            #"{"serverHost": "192.0.2.9", "experiment": {"id": 3}}"#, Names(known: [:]))
        #expect(settings.server.ip == IPAddress("192.0.2.9"))
        #expect(throws: Failure(ExitCode.configuration, #"server.json: host: "near" is no IP address"#)) {
            try ApplicationServerConfiguration(
                ConfigurationReader(file: "server.json", text: #"{"host": "near"}"#))
        }
    }

    @Test("A host that nobody knows is named with its member, on one line")
    func unknown() async throws {
        let failure = await #expect(throws: Failure.self) {
            try await read(Self.text, Names(known: ["near": ["192.0.2.1"], "host.example": ["192.0.2.2"]]))
        }
        #expect(failure?.exitCode == ExitCode.noHost)
        #expect(
            failure?.message
                == #"client.json: experiment.serverMigrationHost: could not resolve the host "far": "#
                + "Name or service not known")
        let nothing = await #expect(throws: Failure.self) {
            try await read(#"{"serverHost": "near"}"#, Names(known: ["near": []]))
        }
        #expect(nothing?.exitCode == ExitCode.noHost)
    }
}
