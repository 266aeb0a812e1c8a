import Foundation
import GodwitHTTP3
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix

/// What a server is put together from.
struct WebServerParts {
    let options: WebServerOptions
    let group: MultiThreadedEventLoopGroup
    let http3: HTTP3Server
    let http1: [HTTP1Server]
    let metrics: [HTTP1Server]
    let site: Site
    let certificates: ServedCertificates
    let accessLog: AccessLog?
    let operatorSocket: OperatorSocket?
    let management: ThesisManagement?
}

extension WebServer {
    /// Opens files and sockets; requests wait for ``run(signals:)``.
    ///
    /// - Throws: a ``Failure`` that names the option or file at fault.
    public static func start(_ options: WebServerOptions) async throws -> WebServer {
        guard !options.listen.isEmpty else { throw Failure(ExitCode.usage, "--listen: no address") }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: options.eventLoops)
        do {
            return try await start(options, on: group)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private static func start(
        _ options: WebServerOptions, on group: MultiThreadedEventLoopGroup
    ) async throws -> WebServer {
        _ = ProcessMetrics.startTime
        let files = try options.root.map { root throws(Failure) in try FileStore(root: root) }
        let accessLog = try options.accessLog.map { path throws(Failure) in try AccessLog(path: path) }
        let selfSigned = options.certificates.isEmpty ? try SelfSigned(for: options) : nil
        let certificates =
            try selfSigned.map { try ServedCertificates(selfSigned: $0.made) }
            ?? ServedCertificates(files: options.certificates)
        // Before the servers are made: what they report to is settled then.
        let registry = options.metrics.map { _ in PrometheusRegistry.shared }
        let sockets = try await WebServerSockets.open(options, certificates, group)
        let metrics = try await bindMetrics(options, registry, group)
        let logger = Logger(label: "mhq.serve")
        let operatorSocket: OperatorSocket? =
            if let path = options.control { try await .bind(to: path, on: group, logger) } else { nil }
        let management: ThesisManagement? =
            if let address = options.management { try await .bind(to: address, on: group, logger) } else {
                nil
            }
        let parts = WebServerParts(
            options: options, group: group, http3: sockets.http3, http1: sockets.http1, metrics: metrics,
            site: Site(files: files, seed: options.seed), certificates: certificates, accessLog: accessLog,
            operatorSocket: operatorSocket, management: management)
        var report = StartReport(url: url(sockets.udp[0]), udp: sockets.udp, root: files?.root)
        report.tcp = sockets.http1.map(\.localAddress)
        report.metricsURL = metrics.first.map { "http://\(browsable($0.localAddress))/metrics" }
        report.control = operatorSocket?.path
        report.selfSignedFile = try selfSigned?.write(to: options.selfSignedFile)
        return WebServer(parts, report)
    }

    private static func bindMetrics(
        _ options: WebServerOptions, _ registry: PrometheusRegistry?, _ group: any EventLoopGroup
    ) async throws -> [HTTP1Server] {
        guard let listen = options.metrics, registry != nil else { return [] }
        var servers: [HTTP1Server] = []
        for address in listen.addresses {
            let port = servers.first?.localAddress.port ?? address.port
            do {
                servers.append(
                    try await HTTP1Server.bind(
                        to: NetworkAddress(ip: address.ip, port: port), option: "--metrics",
                        configuration: .init(maxConnections: 100), group: group))
            } catch  where listen.isLocalhost && !servers.isEmpty {
                // A machine without IPv6.
            }
        }
        return servers
    }

    // MARK: The report

    private static func url(_ address: NetworkAddress) -> String { "https://\(browsable(address))/" }

    /// An address that this machine can be asked at.
    private static func browsable(_ address: NetworkAddress) -> String {
        address.ip.isUnspecified || address.ip.isLoopback ? "localhost:\(address.port)" : "\(address)"
    }
}

/// A certificate that was made for this run.
private struct SelfSigned {
    let made: SelfSignedCertificate

    init(for options: WebServerOptions) throws {
        var names = ["localhost", "127.0.0.1", "::1"]
        let host = ProcessInfo.processInfo.hostName
        if !host.isEmpty, host != "localhost" { names.append(host) }
        for address in options.listen.flatMap(\.addresses)
        where !address.ip.isUnspecified && !address.ip.isLoopback {
            names.append("\(address.ip)")
        }
        made = try SelfSignedCertificate.make(names: names)
    }

    /// Writes the certificate, not the key, to a file, and says to which.
    func write(to path: String?) throws(Failure) -> String {
        let pem = made.certificate.pem
        if let path {
            do {
                try Data(pem.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            } catch {
                throw Failure(
                    ExitCode.cannotCreate, "--write-certificate: \(path): \(FileProblem.describe(error))")
            }
            return path
        }
        return try writeToTemporaryFile(pem)
    }

    /// Under a name that nobody could prepare for.
    private func writeToTemporaryFile(_ pem: String) throws(Failure) -> String {
        let folder = FileManager.default.temporaryDirectory.path
        var template = Array((folder + "/mhq-XXXXXX.pem").utf8CString)
        let descriptor = mkstemps(&template, 4)
        let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        guard descriptor >= 0 else {
            throw Failure(
                ExitCode.cannotCreate, "\(folder): cannot write a certificate there (--write-certificate)")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: Data(pem.utf8))
        } catch {
            unlink(path)
            throw Failure(ExitCode.cannotCreate, "\(path): \(FileProblem.describe(error))")
        }
        return path
    }
}
