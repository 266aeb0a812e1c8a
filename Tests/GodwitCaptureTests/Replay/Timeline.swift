import Foundation
import GodwitMigration
import GodwitWire

/// A captured run as one of its ends lived it.
struct Timeline {
    enum Happening {
        /// The other end's packet is read.
        case received(OpenedPacket)
        /// This end sends a packet; `isProbe` says that a timeout made it.
        case sent(OpenedPacket, isProbe: Bool)
        /// The operator has the server prepare to move.
        case prepare(MigrationOrder)
        /// The server goes on elsewhere.
        case switched
    }

    /// Delays in the captured ACK frames show that packets are read 50 to 120 microseconds after they were
    /// captured.
    private static let readingDelay = TimeSpan.microseconds(100)

    private(set) var happenings: [(time: Instant, happening: Happening)] = []

    init(_ run: CapturedRun, of role: Role) throws {
        var largest: UInt64?
        for packet in try PacketOpener.open(run) where packet.level != .initial {
            if packet.sender != role {
                happenings.append((packet.time + Self.readingDelay, .received(packet)))
            } else if packet.level == .oneRTT {
                // It leaves a number out before each probe (Specs/server-migration.md 9.1.4).
                let isProbe = largest.map { packet.number > $0 + 1 } ?? false
                happenings.append((packet.time, .sent(packet, isProbe: isProbe)))
                largest = packet.number
            }
        }
        try addOperator(run)
        // The sort is stable, so that what happens at one time stays in order.
        happenings.sort { $0.time < $1.time }
    }

    private mutating func addOperator(_ run: CapturedRun) throws {
        if let time = run.events["moved"] { happenings.append((time, .switched)) }
        for datagram in run.datagrams where datagram.destination.port == CapturedRun.managementPort {
            let command = try JSONDecoder().decode(Command.self, from: Data(datagram.bytes))
            guard let order = command.order else { continue }
            happenings.append((datagram.time + Self.readingDelay, .prepare(order)))
        }
    }

    /// What the thesis's program takes from its operator.
    private struct Command: Decodable {
        var action: String
        var `protocol`: String?
        var address: String?

        var order: MigrationOrder? {
            guard action == "onImminentServerMigration" else { return nil }
            switch `protocol` {
            case "Explicit":
                return address.flatMap { NetworkAddress($0) }.flatMap { MigrationDestination($0) }
                    .map { .explicit(destination: $0) }
            case "Pool of Addresses": return .poolOfAddresses
            case "Symmetric": return .symmetric
            case "Synchronized Symmetric": return .synchronizedSymmetric
            default: return nil
            }
        }
    }
}

extension OpenedPacket {
    /// What it acknowledges.
    func acknowledged() throws -> [AckRange] {
        var ranges: [AckRange] = []
        try forEachFrame { if case .plain(.ack(let ack)) = $0.content { ranges += ack.ranges } }
        return ranges
    }

    func challenges() throws -> [UInt64] {
        var data: [UInt64] = []
        try forEachFrame { if case .plain(.pathChallenge(let value)) = $0.content { data.append(value) } }
        return data
    }

    func responses() throws -> [UInt64] {
        var data: [UInt64] = []
        try forEachFrame { if case .plain(.pathResponse(let value)) = $0.content { data.append(value) } }
        return data
    }

    func isEliciting() throws -> Bool {
        var isEliciting = false
        try forEachFrame { if FrameType.isAckEliciting($0.type) { isEliciting = true } }
        return isEliciting
    }

    /// Whether it begins a request.
    func opensRequest() throws -> Bool {
        var opens = false
        try forEachFrame { frame in
            guard case .plain(.stream(let stream)) = frame.content else { return }
            if stream.id.direction == .bidirectional, stream.offset == 0 { opens = true }
        }
        return opens
    }
}
