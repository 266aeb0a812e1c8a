import Foundation
package import GodwitHTTP3
import Logging
import NIOCore
import NIOPosix
import Subprocess
import SystemPackage

/// A change of networks that a client was told to make.
struct HandoverOrder: Hashable, Sendable {
    /// The client's address in the other network; the port is 0.
    var address: NetworkAddress
    var accessPoint: String
    var accessPointGateway: String
    var otherAccessPointSubnet: String
    /// A script that shapes traffic in the other network.
    var trafficScript: String

    /// - Parameter text: `{"action":"handover","address":"IP:0",…}`
    /// - Throws: a failure that names the member at fault.
    init(_ text: String) throws(Failure) {
        var reader = try RequestReader(text)
        let action = try reader.string("action")
        guard action == "handover" else {
            throw Failure(ExitCode.dataError, "action: '\(action)' is not known")
        }
        let place = try reader.string("address")
        guard let address = NetworkAddress(place) else {
            throw Failure(ExitCode.dataError, "address: '\(place)' is not an IP:PORT")
        }
        self.address = address
        accessPoint = try Self.argument("accessPoint", &reader)
        accessPointGateway = try Self.argument("accessPointGateway", &reader)
        otherAccessPointSubnet = try Self.argument("otherAccessPointSubnet", &reader)
        trafficScript = try Self.argument("tcScript", &reader)
        try reader.refuseOthers()
    }

    /// A word for a command. `nmcli` and `ip` have no `--` after which nothing is an option any more.
    private static func argument(
        _ name: String, _ reader: inout RequestReader
    ) throws(Failure) -> String {
        let text = try reader.string(name)
        guard !text.hasPrefix("-") else {
            throw Failure(ExitCode.dataError, "\(name): '\(text)' looks like an option")
        }
        return text
    }
}

/// How a machine changes networks; replaceable, since not every machine has a radio.
package protocol HandoverMethod: Sendable {
    /// Changes networks; false if it can't be done.
    func perform(_ words: HandoverWords) async -> Bool
}

/// What a ``HandoverMethod`` is told.
package struct HandoverWords: Hashable, Sendable {
    package var accessPoint: String
    package var gateway: String
    package var subnet: String
    package var script: String
}

/// By NetworkManager, `ip route` and a script. Words of the order are arguments, and never part of a shell's line.
package struct WirelessHandover: HandoverMethod {
    private static let attempts = 10
    /// What the commands have in place of this process's own.
    private let environment: [String: String]?

    /// - Parameter environment: where commands are found is said by its `PATH`; nil for this process's own.
    package init(environment: [String: String]? = nil) { self.environment = environment }

    package func perform(_ words: HandoverWords) async -> Bool {
        guard await repeated(["nmcli", "dev", "wifi", "connect", words.accessPoint]),
            await repeated(["ip", "route", "replace", words.subnet, "via", words.gateway])
        else { return false }
        return words.script.isEmpty ? true : await run(["bash", "--", words.script])
    }

    private func repeated(_ words: [String]) async -> Bool {
        for _ in 0..<Self.attempts where await run(words) { return true }
        return false
    }

    private func run(_ words: [String]) async -> Bool {
        let variables = (environment ?? ProcessInfo.processInfo.environment)
            .reduce(into: [Environment.Key: String]()) {
                $0[Environment.Key(stringLiteral: $1.key)] = $1.value
            }
        let result = try? await Subprocess.run(
            .path("/usr/bin/env"), arguments: Arguments(words), environment: .custom(variables),
            output: .currentStandardOutput, error: .currentStandardError)
        return result?.terminationStatus.isSuccess ?? false
    }
}

/// By others: whoever gives the order has changed the network already.
package struct FinishedHandover: HandoverMethod {
    package init() {}

    package func perform(_ words: HandoverWords) async -> Bool { true }
}

/// Listens for orders to change networks (UDP, one JSON object a datagram). Whoever reaches it has commands run on
/// this machine, so it is there only when it is asked for.
package final class HandoverListener: Sendable {
    private typealias Envelope = AddressedEnvelope<ByteBuffer>

    private let channel: NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>
    private let method: any HandoverMethod
    private let logger = Logger(label: "mhq.handover")

    private static let done = "OK"

    /// The thesis's port.
    package static let port: UInt16 = 5555

    private init(
        _ channel: NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>,
        _ method: any HandoverMethod
    ) {
        (self.channel, self.method) = (channel, method)
    }

    /// Opens the port.
    package static func bind(
        to address: NetworkAddress, _ method: any HandoverMethod = WirelessHandover()
    ) async throws -> HandoverListener {
        do {
            let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "\(address.ip)", port: Int(address.port)) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>(
                            wrappingChannelSynchronously: channel)
                    }
                }
            return HandoverListener(channel, method)
        } catch {
            throw Failure(
                ExitCode.system, "--allow-handover-commands: \(address): \(SocketProblem.describe(error))")
        }
    }

    /// Where the port is.
    var localAddress: SocketAddress? { channel.channel.localAddress }

    /// Obeys until the task is cancelled.
    func run(_ connection: QUICConnection) async {
        try? await channel.executeThenClose { inbound, outbound in
            // To change networks takes longer than drivers wait for an answer. What they say again meanwhile must not
            // have the client leave the network that it has just come to.
            var last: Envelope?
            for try await datagram in inbound {
                let isRepeated = datagram.data == last?.data && datagram.remoteAddress == last?.remoteAddress
                let answer = isRepeated ? Self.done : await obey(String(buffer: datagram.data), connection)
                if answer == Self.done { last = datagram }
                // Whoever gave the order may be out of reach in the new network.
                try? await outbound.write(
                    Envelope(remoteAddress: datagram.remoteAddress, data: ByteBuffer(string: answer)))
            }
        }
    }

    private func obey(_ text: String, _ connection: QUICConnection) async -> String {
        let order: HandoverOrder
        do { order = try HandoverOrder(text) } catch { return "Bad request. Error: \(error)" }
        let words = HandoverWords(
            accessPoint: order.accessPoint, gateway: order.accessPointGateway,
            subnet: order.otherAccessPointSubnet, script: order.trafficScript)
        logger.notice("a handover", metadata: ["to": "\(order.address)"])
        guard await method.perform(words) else { return "Error: cannot perform handover" }
        do {
            try await connection.migrate(toLocal: order.address)
            return Self.done
        } catch {
            return "Error: cannot perform handover"
        }
    }
}
