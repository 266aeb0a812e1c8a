import GodwitCrypto
import GodwitWire

@testable import GodwitCore

/// The 1-RTT keys of two ends, of which one sends and the other receives.
struct KeyedEnds {
    var sender: OneRTTKeys
    var receiver: OneRTTKeys

    init() {
        let secrets = (1...2).map {
            TrafficSecret(suite: .aes128GCM, bytes: [UInt8](repeating: UInt8($0), count: 32))
        }
        sender = OneRTTKeys(write: secrets[0], version: .v1)
        receiver = OneRTTKeys(write: secrets[1], version: .v1)
        sender.installRead(secrets[1])
        receiver.installRead(secrets[0])
    }
}

/// A packet without header protection.
struct SealedPayload {
    var number: UInt64
    var phase: Bool
    var header: [UInt8]
    /// With the tag; after an attempt to open it, what that left.
    var payload: [UInt8]

    var isWipedOut: Bool { payload.allSatisfy { $0 == 0 } }
}

extension OneRTTKeys {
    /// What a test packet has in it.
    static let content = [UInt8](1...20)

    func sealed(_ number: UInt64) -> SealedPayload {
        var payload = Self.content + [UInt8](repeating: 0, count: CipherSuite.tagLength)
        let header: [UInt8] = [0x40, UInt8(truncatingIfNeeded: number)]
        header.withUnsafeBytes { header in
            payload.withUnsafeMutableBytes { write.seal(packetNumber: number, header: header, payload: $0) }
        }
        return SealedPayload(number: number, phase: state.phase, header: header, payload: payload)
    }

    /// Whether the packet opened.
    mutating func open(_ packet: inout SealedPayload) throws(TransportError) -> Bool {
        let header = packet.header
        var payload = packet.payload
        defer { packet.payload = payload }
        var outcome: Result<Int?, TransportError> = .success(nil)
        header.withUnsafeBytes { header in
            payload.withUnsafeMutableBytes { payload in
                do throws(TransportError) {
                    outcome = .success(
                        try open(
                            packetNumber: packet.number, phase: packet.phase, header: header, payload: payload
                        ))
                } catch {
                    outcome = .failure(error)
                }
            }
        }
        guard let count = try outcome.get() else { return false }
        return Array(payload[..<count]) == Self.content
    }

    mutating func opens(_ packet: SealedPayload) throws(TransportError) -> Bool {
        var packet = packet
        return try open(&packet)
    }

    /// Lets time pass until the keys before are dropped.
    mutating func dropPrevious() {
        retirePrevious(at: .zero)
        discardPrevious(now: .zero)
    }

    /// All of the state, to be compared.
    var stateBytes: [UInt8] { get throws { try CBOREncoder.encode(state) } }
}

extension Connection {
    /// A 1-RTT packet under keys that this end has not now; no record is kept of it.
    func forge(under keys: OneRTTKeys, _ payload: [UInt8], number: UInt64, now: Instant) -> [UInt8] {
        let own = protection.oneRTT
        protection.oneRTT = keys
        defer { protection.oneRTT = own }
        return forge(.oneRTT, payload, now: now) { $0.number = number }
    }

    /// The keys after one more update.
    var updatedKeys: OneRTTKeys {
        var keys = protection.oneRTT!
        keys.initiateUpdate()
        return keys
    }

    var keyUpdates: UInt64 { protection.oneRTT?.state.updateCount ?? 0 }

    /// What becomes of a packet, in numbers.
    var packetCounts: PacketCounts {
        PacketCounts(
            opened: statistics.packetsReceived, dropped: statistics.packetsDropped,
            failed: protection.failedToOpen)
    }
}

struct PacketCounts: Equatable {
    var opened: UInt64
    var dropped: UInt64
    var failed: UInt64

    static func - (left: PacketCounts, right: PacketCounts) -> PacketCounts {
        PacketCounts(
            opened: left.opened - right.opened, dropped: left.dropped - right.dropped,
            failed: left.failed - right.failed)
    }

    static let oneOpened = PacketCounts(opened: 1, dropped: 0, failed: 0)
    /// Not even tried.
    static let oneDropped = PacketCounts(opened: 0, dropped: 1, failed: 0)
    static let oneFailed = PacketCounts(opened: 0, dropped: 1, failed: 1)
}

extension EndpointPair {
    /// Has a datagram arrive and returns its bytes as they are then: packets are opened in place.
    @discardableResult
    func remains(of datagram: [UInt8], atServer: Bool) -> [UInt8] {
        var bytes = datagram
        let (client, server) = (Self.clientAddress, Self.serverAddress)
        bytes.withUnsafeMutableBytes {
            (atServer ? self.server : self.client).receive(
                $0, segmentSize: max(1, $0.count), from: atServer ? client : server,
                to: atServer ? server : client, ecn: .notECT, now: now)
        }
        return bytes
    }

    /// What the arrival of a datagram counts for at an end.
    func counts(_ datagram: [UInt8], at end: Connection) -> PacketCounts {
        let before = end.packetCounts
        arrive(datagram, atServer: end.role == .server)
        return end.packetCounts - before
    }

    /// A handshake in which each end has keys to send Initial and Handshake packets with and the server still
    /// waits; nothing arrives by itself from here on.
    func inMidHandshake(
        _ change: (inout ConnectRequest) -> Void = { _ in }
    ) throws -> (client: Connection, server: Connection) {
        let connection = try connect(change)
        // A client drops its Initial keys with the first Handshake packet that it sends, so it must not come
        // to that.
        while !connection.protection.canWrite(at: .handshake), now < .zero + .seconds(60) {
            exchange()
            now += delay
            deliver()
        }
        (intercept, inFlight) = ({ _ in [] }, [])
        return (connection, serverConnection!)
    }
}
