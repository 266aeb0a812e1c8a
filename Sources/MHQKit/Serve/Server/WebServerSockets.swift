import Foundation
import GodwitHTTP3
import NIOCore
import NIOHTTP1
import NIOPosix

/// The sockets of a server: UDP, and TCP with the same numbers.
struct WebServerSockets {
    let http3: HTTP3Server
    let http1: [HTTP1Server]
    /// Where HTTP/3 is spoken.
    let udp: [NetworkAddress]

    /// How often to ask the system for a port that is free for both.
    private static let attempts = 16

    /// - Throws: a failure that names the option.
    static func open(
        _ options: WebServerOptions, _ certificates: ServedCertificates, _ group: any EventLoopGroup
    ) async throws -> WebServerSockets {
        let configuration = try HTTP3ServerConfiguration(options, certificates)
        let isAnyPort = options.listen[0].addresses[0].port == 0
        for attempt in 1... {
            let (http3, udp) = try await bindUDP(options, configuration, group)
            do {
                let http1 = options.servesTCP ? try await bindTCP(udp, options, certificates, group) : []
                return WebServerSockets(http3: http3, http1: http1, udp: udp)
            } catch {
                await http3.shutdown(gracePeriod: .zero)
                guard isAnyPort, attempt < attempts else { throw error }
            }
        }
        preconditionFailure("the loop has no end")
    }

    // MARK: UDP

    private static func bindUDP(
        _ options: WebServerOptions, _ configuration: HTTP3ServerConfiguration, _ group: any EventLoopGroup
    ) async throws -> (HTTP3Server, [NetworkAddress]) {
        let first = options.listen[0].addresses[0]
        let http3 = try await naming {
            try await HTTP3Server.bind(to: first, configuration: configuration, eventLoopGroup: group)
        }
        var bound = [http3.localAddress]
        do {
            for (index, listen) in options.listen.enumerated() {
                for address in index == 0 ? listen.addresses.dropFirst() : listen.addresses[...] {
                    let wanted = NetworkAddress(
                        ip: address.ip, port: address.port == 0 ? bound[0].port : address.port)
                    if try await add(wanted, to: http3, isOptional: listen.isLocalhost) {
                        bound.append(wanted)
                    }
                }
            }
        } catch {
            await http3.shutdown(gracePeriod: .zero)
            throw error
        }
        return (http3, bound)
    }

    /// - Returns: false if the machine has no such address and need not.
    private static func add(
        _ address: NetworkAddress, to http3: HTTP3Server, isOptional: Bool
    ) async throws -> Bool {
        do {
            try await http3.quic.listen(alsoAt: address)
            return true
        } catch QUICError.socket(let failure)
            where isOptional && [EADDRNOTAVAIL, EAFNOSUPPORT].contains(failure.errorNumber)
        {
            return false
        } catch let error as QUICError {
            throw Self.failure(error)
        }
    }

    private static func naming(_ body: () async throws -> HTTP3Server) async throws -> HTTP3Server {
        do { return try await body() } catch let error as QUICError { throw failure(error) }
    }

    private static func failure(_ error: QUICError) -> Failure {
        guard case .socket(let failure) = error else { return Failure(ExitCode.system, "--listen: \(error)") }
        let code = failure.errorNumber == EACCES ? ExitCode.noPermission : ExitCode.system
        return Failure(code, "--listen: \(failure)")
    }

    // MARK: TCP

    private static func bindTCP(
        _ addresses: [NetworkAddress], _ options: WebServerOptions, _ certificates: ServedCertificates,
        _ group: any EventLoopGroup
    ) async throws -> [HTTP1Server] {
        var configuration = HTTP1Server.Configuration()
        configuration.tls = try certificates.makeTLSContext()
        configuration.maxConnections = options.limits.connections
        configuration.requestHeadTime = TimeAmount(options.limits.requestHeaderTime)
        configuration.idleTime = TimeAmount(options.limits.connectionIdleTime)
        var servers: [HTTP1Server] = []
        do {
            for address in addresses {
                // RFC 7838 section 3.
                configuration.commonFields = ["Alt-Svc": "h3=\":\(address.port)\"; ma=86400"]
                servers.append(
                    try await HTTP1Server.bind(
                        to: address, option: "--listen", configuration: configuration, group: group))
            }
        } catch {
            for server in servers { server.drain() }
            throw error
        }
        return servers
    }
}

extension HTTP3ServerConfiguration {
    /// - Throws: a failure that names the option.
    init(_ options: WebServerOptions, _ certificates: ServedCertificates) throws {
        var tls = TLSServerConfiguration(applicationProtocols: ["h3"], credentials: certificates.credentials)
        tls.ticketKeys = .random()
        // The keys of tickets end with the process, so nothing recorded before it began can be repeated.
        if options.takesEarlyData { tls.earlyData = ReplayFilter(refusesFirstWindow: false) }
        if let path = options.keyLog {
            let log = try KeyLog(path: path)
            tls.keyLog = { log.write($0) }
        }
        try self.init(tls: tls)
        limits = options.limits
        if options.alwaysRetries { quic.server.retryPolicy = .always }
        if options.speaksThesisVersion { quic.transport.versions.append(.mvfst) }
        if options.isMovable {
            quic.migration = ServerMigrationSettings(
                ServerMigrationNegotiation(hasPool: !options.migrationPool.isEmpty),
                pool: options.migrationPool)
            // The thesis's interface has no such command.
            quic.migration.requiresHold = options.management == nil
            quic.migrationArbiter = options.arbiter.map { SocketArbiter(path: $0) }
            let allowed = AllowedDestinations(options.allowedDestinations)
            if let address = allowed.firstForbidden(in: options.migrationPool) {
                throw Failure(
                    ExitCode.noPermission,
                    "--pool: \(address): not among the allowed destinations (--allow-destination)")
            }
            quic.allowedDestinations = allowed
        }
        if let folder = options.qlogFolder {
            try OutputFolder.make(folder, option: "--qlog")
            quic.qlogFolder = folder
        }
    }
}

/// A folder that files are written to.
enum OutputFolder {
    /// Makes the folder if it is not there.
    static func make(_ path: String, option: String) throws(Failure) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Failure(ExitCode.cannotCreate, "\(option): \(path): \(FileProblem.describe(error))")
        }
    }
}
