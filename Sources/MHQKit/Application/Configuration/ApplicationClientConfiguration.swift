package import Godwit
package import GodwitWire

/// What `mhq --mode=client --config=FILE` is told. Members that are absent have the values of the thesis's
/// published example.
package struct ApplicationClientConfiguration: Hashable, Sendable {
    package var server: NetworkAddress
    package var migration: ApplicationMigration
    /// Where TLS secrets go; nil for nowhere.
    package var keyLog: String?
    /// How long to wait from a response to the next request, in milliseconds; 0 for back to back.
    package var interval: Int
    package var body: RequestSource.Body
    package var seed: UInt64
    /// How an endpoint of the thesis's policy differs from one of ours.
    package var thesis: ThesisTiming
    package var experiment: ExperimentSettings
    /// What to tell the user, a line each.
    package var warnings: [String] = []

    /// Members that may be names of hosts, as in the thesis's program.
    private static let hosts = [
        "serverHost", "experiment.containerMigrationScriptHost", "experiment.serverMigrationHost",
    ]

    /// Reads a configuration, and looks up the hosts in it.
    ///
    /// - Throws: a failure that names the member at fault.
    package static func read(
        _ reader: ConfigurationReader, resolver: any QUICNameResolver = SystemNameResolver()
    ) async throws(Failure) -> ApplicationClientConfiguration {
        try ApplicationClientConfiguration(try await reader.lookingUp(hosts, with: resolver))
    }

    /// - Throws: a failure that names the member at fault.
    package init(_ reader: ConfigurationReader) throws(Failure) {
        var reader = reader
        let host = try reader.ip("serverHost", default: "127.0.0.1")
        server = NetworkAddress(
            ip: host, port: try reader.whole("serverPort", in: 1...UInt16.max, default: 6666))
        migration = try reader.object("serverMigration") { inner throws(Failure) in
            try ApplicationMigration(&inner, poolByDefault: false)
        }
        keyLog = try reader.object("keyLogging") { inner throws(Failure) in
            let isEnabled = try inner.flag("enable", default: true)
            let file = try inner.text("file", default: "./keys.txt")
            return isEnabled ? file : nil
        }
        interval = try Self.interval(&reader)
        body = try Self.body(&reader)
        seed = try reader.whole("seed", in: 0...UInt64.max, default: 1)
        thesis = try reader.object("thesis") { inner throws(Failure) in try ThesisTiming(&inner) }
        experiment = try reader.object("experiment") { inner throws(Failure) in
            try ExperimentSettings(&inner, serverHost: host)
        }
        warnings = reader.unknownMembers.map { "\($0): is not known and counts for nothing" }
        if migration.isEnabled, migration.suite(.thesis).isEmpty {
            warnings.append("serverMigration: every protocol is off, so the client cannot follow")
        }
    }

    private static func interval(_ reader: inout ConfigurationReader) throws(Failure) -> Int {
        let (isSporadic, interval, isBackToBack) = try reader.object("requestPattern") {
            inner throws(Failure) in
            (
                try inner.flag("sporadic", default: true),
                try inner.whole("sporadicInterval", in: 0...86_400_000, default: 10_000),
                try inner.flag("backToBack", default: false)
            )
        }
        guard isSporadic || isBackToBack else {
            throw reader.failure("requestPattern", "neither sporadic nor backToBack is true")
        }
        return isSporadic ? interval : 0
    }

    private static func body(_ reader: inout ConfigurationReader) throws(Failure) -> RequestSource.Body {
        let (isFixed, isDrawn) = try reader.object("requestBody") { inner throws(Failure) in
            (try inner.flag("fixed", default: false), try inner.flag("fromDistribution", default: true))
        }
        guard isFixed || isDrawn else {
            throw reader.failure("requestBody", "neither fixed nor fromDistribution is true")
        }
        return isFixed ? .fixed : .fromDistribution
    }
}

/// The client's part in an experiment.
package struct ExperimentSettings: Hashable, Sendable {
    /// 0 to 6.
    package var id: Int
    package var serverManagement: NetworkAddress
    package var containerMigration: NetworkAddress
    package var migrationProtocol: ApplicationProtocol
    /// Where the server goes.
    package var destination: NetworkAddress
    /// After which response the server is told that it is to move; 0 for never.
    package var noticeAfter: Int
    /// After which response the move is asked for; 0 for never.
    package var triggerAfter: Int
    /// After which response the client ends; 0 for never.
    package var shutdownAfter: Int
    /// How many responses from the new address end experiments 2 and 4; nil for as many as in the thesis, which has
    /// no such member.
    package var responsesAfterMigration: Int?

    init(_ reader: inout ConfigurationReader, serverHost: IPAddress) throws(Failure) {
        id = try reader.whole("id", in: 0...6, default: 1)
        let managementPort = try reader.whole("serverManagementPort", in: 0...UInt16.max, default: 7777)
        serverManagement = NetworkAddress(ip: serverHost, port: managementPort)
        containerMigration = NetworkAddress(
            ip: try reader.ip("containerMigrationScriptHost", default: "127.0.0.1"),
            port: try reader.whole("containerMigrationScriptPort", in: 0...UInt16.max, default: 8080))
        migrationProtocol = try reader.choice("serverMigrationProtocol", default: .proactiveExplicit)
        destination = NetworkAddress(
            ip: try reader.ip("serverMigrationHost", default: "127.0.1.1"),
            port: try reader.whole("serverMigrationPort", in: 0...UInt16.max, default: 6666))
        noticeAfter = try reader.whole("notifyImminentMigrationAfterRequest", in: 0...Int.max, default: 1)
        triggerAfter = try reader.whole("triggerMigrationAfterRequest", in: 0...Int.max, default: 2)
        shutdownAfter = try reader.whole("shutdownAfterRequest", in: 0...Int.max, default: 4)
        let responses = try reader.whole("responsesAfterMigration", in: 0...Int.max, default: 0)
        responsesAfterMigration = responses > 0 ? responses : nil
    }

    /// Where a server that is to end may be, most likely first.
    ///
    /// Only Explicit needs to be told where the server goes: with the others, what the configuration says of that may
    /// mean nothing. A client that was left behind, though, is no more than where the server was.
    ///
    /// - Parameters:
    ///   - remote: where the connection has the server.
    ///   - isTriggered: whether it was told to move.
    func managements(remote: IPAddress, isTriggered: Bool) -> [NetworkAddress] {
        let isNamed = migrationProtocol.managementName == "Explicit"
        var places = isNamed ? [destination.ip, remote] : [remote, destination.ip]
        if !isTriggered || destination.ip == remote { places = [remote] }
        return places.map { NetworkAddress(ip: $0, port: serverManagement.port) }
    }
}
