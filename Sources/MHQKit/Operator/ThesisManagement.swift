import Foundation
import GodwitHTTP3
import Logging
import NIOCore
import NIOPosix

/// The thesis's management interface: JSON over UDP, one object a datagram, unauthenticated. Whoever reaches
/// the port can stop the server and send its clients anywhere that is allowed, so it is there only when it is
/// asked for.
final class ThesisManagement: Sendable {
    private typealias Envelope = AddressedEnvelope<ByteBuffer>

    private let channel: NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>

    private init(_ channel: NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>) {
        self.channel = channel
    }

    /// Opens the port.
    ///
    /// - Throws: a failure that names the option.
    static func bind(
        to listen: ListenAddress, on group: any EventLoopGroup, _ logger: Logger,
        option: String = "--management-port"
    ) async throws -> ThesisManagement {
        let address = listen.addresses[0]
        if !address.ip.isLoopback {
            logger.warning(
                "the management port is open to others than this machine, and asks nobody who they are",
                metadata: ["address": "\(address)"])
        }
        do {
            let channel = try await DatagramBootstrap(group: group)
                .bind(host: "\(address.ip)", port: Int(address.port)) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>(
                            wrappingChannelSynchronously: channel)
                    }
                }
            return ThesisManagement(channel)
        } catch {
            throw Failure(ExitCode.system, "\(option): \(address): \(SocketProblem.describe(error))")
        }
    }

    /// Where the port is.
    var localAddress: SocketAddress? { channel.channel.localAddress }

    /// Obeys until the task is cancelled.
    func run(_ operation: ThesisOperation) async {
        try? await withThrowingDiscardingTaskGroup { tasks in
            try await channel.executeThenClose { inbound, outbound in
                for try await datagram in inbound {
                    let reply: @Sendable (String) async -> Void = { text in
                        let answer = Envelope(
                            remoteAddress: datagram.remoteAddress, data: ByteBuffer(string: text))
                        try? await outbound.write(answer)
                    }
                    await reply(await operation.obey(String(buffer: datagram.data)))
                    await operation.shutDownIfTold()
                    guard let epoch = await operation.takeWaiting() else { continue }
                    tasks.addTask { if await operation.isReady(epoch) { await reply("migration ready") } }
                }
            }
        }
    }
}

/// What the thesis's commands do, and what it measures.
actor ThesisOperation {
    private let service: OperatorService
    private let reportFile: String?
    /// Why the report could not be written.
    private(set) var reportFailure: Failure?
    private var plan: (epoch: MigrationEpoch, order: MigrationOrder)?
    private var preparing: Task<MigrationReadiness, any Error>?
    private var isNotifying = false
    private var isToldToEnd = false
    /// From the command to when every connection was ready.
    private var notificationTime: Duration?
    private var readyClients = 0

    /// How long to wait for connections; the thesis's server waits for ever.
    private static let deadline = Duration.seconds(60)

    init(service: OperatorService, reportFile: String?) {
        self.service = service
        self.reportFile = reportFile
    }

    /// Does what a datagram says.
    ///
    /// - Returns: the reply.
    func obey(_ text: String) async -> String {
        do {
            var reader = try RequestReader(text)
            switch try reader.string("action") {
            case "onImminentServerMigration": try await prepare(&reader)
            case "onNetworkSwitch": try await switchNetwork(&reader)
            case "shutdown":
                try reader.refuseOthers()
                writeReport()
                isToldToEnd = true
            case let other: throw Failure(ExitCode.dataError, "action: '\(other)' is not known")
            }
            return "OK"
        } catch {
            return "Bad request. Error: \(error)"
        }
    }

    /// Ends the server if that was the last command, whose reply could not be sent any more after it.
    func shutDownIfTold() {
        guard isToldToEnd else { return }
        isToldToEnd = false
        service.shutDown()
    }

    /// The plan whose readiness the sender of the last command wants to hear of; once.
    func takeWaiting() -> MigrationEpoch? {
        guard isNotifying, let plan else { return nil }
        isNotifying = false
        return plan.epoch
    }

    /// Waits until the plan is ready; false if it never will be.
    func isReady(_ epoch: MigrationEpoch) async -> Bool {
        guard plan?.epoch == epoch, let preparing else { return false }
        return (try? await preparing.value) != nil
    }

    // MARK: Commands

    private func prepare(_ reader: inout RequestReader) async throws {
        let order = try Self.order(&reader)
        let isNotifying = try reader.flag("notifyMigrationReady")
        try reader.refuseOthers()
        self.isNotifying = isNotifying
        // A repeated command changes nothing.
        let state = await service.server.quic.migrationState
        if state.isOpen, plan?.epoch == state.epoch {
            guard plan?.order == order else {
                throw Failure(ExitCode.unavailable, "another migration is under way")
            }
            return
        }
        if let address = service.server.configuration.quic.allowedDestinations?
            .firstForbidden(in: MigrationPlan(default: order))
        {
            throw MigrationError.forbiddenDestination(address)
        }
        // The numbers may have come to their end, by the other interface.
        guard state.epoch < state.epoch.next else {
            throw Failure(ExitCode.unavailable, "plan \(state.epoch) was the last one there can be")
        }
        begin(order, state.epoch.next)
    }

    private func begin(_ order: MigrationOrder, _ epoch: MigrationEpoch) {
        plan = (epoch, order)
        let (start, server) = (ContinuousClock.now, service.server)
        preparing = Task {
            let readiness = try await server.prepareMigration(
                MigrationPlan(default: order), deadline: Self.deadline, epoch: epoch)
            self.note(readiness, after: ContinuousClock.now - start)
            return readiness
        }
    }

    private func note(_ readiness: MigrationReadiness, after span: Duration) {
        (notificationTime, readyClients) = (span, readiness.ready)
    }

    private func switchNetwork(_ reader: inout RequestReader) async throws {
        let address = try reader.optionalAddress("address")
        try reader.refuseOthers()
        guard let plan else { throw Failure(ExitCode.unavailable, "no migration was announced") }
        try address.map { try service.refuseForbidden([$0]) }
        try await service.server.networkSwitched(to: address ?? wildcard, epoch: plan.epoch)
    }

    /// At a wildcard address the sockets come along, but what they sent from may have been left behind: from where
    /// is for the network here to say.
    private var wildcard: NetworkAddress? {
        let address = service.server.localAddress
        return address.ip.isUnspecified ? address : nil
    }

    /// The names are the thesis's.
    private static func order(_ reader: inout RequestReader) throws(Failure) -> MigrationOrder {
        let name = try reader.string("protocol")
        let address = try reader.optionalAddress("address")
        switch name {
        case "Explicit":
            guard let destination = address.flatMap({ MigrationDestination($0) }) else {
                throw Failure(ExitCode.dataError, "address: an IP:PORT is needed")
            }
            return .explicit(destination: destination)
        case "Pool of Addresses": return .poolOfAddresses
        case "Symmetric": return .symmetric
        case "Synchronized Symmetric": return .synchronizedSymmetric
        default: throw Failure(ExitCode.dataError, "protocol: '\(name)' is not known")
        }
    }

    // MARK: The report

    /// A server that has nowhere to write is to end all the same.
    private func writeReport() {
        guard let reportFile else { return }
        do { try Data(report.utf8).write(to: URL(fileURLWithPath: reportFile), options: .atomic) } catch {
            reportFailure = Failure(ExitCode.cannotCreate, "\(reportFile): \(FileProblem.describe(error))")
            service.logger.error(
                "the report could not be written",
                metadata: ["file": "\(reportFile)", "error": "\(FileProblem.describe(error))"])
        }
    }

    private var report: String {
        var line = JSONLine()
        if let span = notificationTime {
            line.add("migrationNotificationTime", Int64(span / .microseconds(1)))
            line.add("numberOfClientsReadyForMigration", readyClients)
        } else {
            line.add("migrationNotificationTime", json: "null")
            line.add("numberOfClientsReadyForMigration", json: "null")
        }
        return line.finished() + "\n"
    }
}

extension RequestReader {
    fileprivate mutating func optionalAddress(_ name: String) throws(Failure) -> NetworkAddress? {
        guard let text = try optionalString(name) else { return nil }
        guard let address = NetworkAddress(text) else {
            throw Failure(ExitCode.dataError, "\(name): '\(text)' is not an IP:PORT")
        }
        return address
    }
}
