import GodwitWire

/// What a connection was like when its log was last brought up to date.
struct QlogView {
    var stage = QlogStage.attempted
    var isEnded = false
    var version: QUICVersion?
    var isProtocolKnown = false
    var keys = QlogKeys()
    var metrics = QlogMetrics()
    var phase: CongestionController.Phase?
    var datagramSize: Int?
    /// No more than there may be paths.
    var paths: [QlogPath] = []
    var activePath = PathID(rawValue: 0)
}

/// Where a connection stands, in the order of the draft.
enum QlogStage: Int, Comparable {
    case attempted, handshakeStarted, complete, confirmed, closing, draining, closed

    static func < (lhs: QlogStage, rhs: QlogStage) -> Bool { lhs.rawValue < rhs.rawValue }

    var text: StaticString {
        switch self {
        case .attempted: "attempted"
        case .handshakeStarted: "handshake_started"
        case .complete: "handshake_complete"
        case .confirmed: "handshake_confirmed"
        case .closing: "closing"
        case .draining: "draining"
        case .closed: "closed"
        }
    }
}

/// Which keys there are.
struct QlogKeys: Equatable {
    var read = QlogLevels()
    var write = QlogLevels()
    /// How often the 1-RTT keys were updated.
    var phase: UInt64 = 0
    /// Whether the reading key of the phase before is still there.
    var keepsPrevious = false
}

/// A set of encryption levels.
struct QlogLevels: OptionSet {
    var rawValue: UInt8

    static func level(_ level: EncryptionLevel) -> QlogLevels { QlogLevels(rawValue: 1 << level.rawValue) }
}

/// What recovery of the active path is at.
struct QlogMetrics: Equatable {
    var minimumRTT: TimeSpan?
    var smoothedRTT: TimeSpan?
    var latestRTT: TimeSpan?
    var rttVariation: TimeSpan?
    var probeTimeouts: UInt64?
    var window: UInt64?
    var bytesInFlight: UInt64?
    var slowStartThreshold: UInt64?

    /// Writes what differs from before.
    func write(since old: QlogMetrics, _ data: inout JSONRecord) {
        Self.write("min_rtt", minimumRTT, old.minimumRTT, &data)
        Self.write("smoothed_rtt", smoothedRTT, old.smoothedRTT, &data)
        Self.write("latest_rtt", latestRTT, old.latestRTT, &data)
        Self.write("rtt_variance", rttVariation, old.rttVariation, &data)
        Self.write("pto_count", probeTimeouts, old.probeTimeouts, &data)
        Self.write("congestion_window", window, old.window, &data)
        Self.write("bytes_in_flight", bytesInFlight, old.bytesInFlight, &data)
        Self.write("ssthresh", slowStartThreshold, old.slowStartThreshold, &data)
    }

    private static func write(
        _ name: StaticString, _ new: TimeSpan?, _ old: TimeSpan?, _ data: inout JSONRecord
    ) {
        if let new, new != old { data.field(name, milliseconds: new) }
    }

    private static func write(_ name: StaticString, _ new: UInt64?, _ old: UInt64?, _ data: inout JSONRecord)
    {
        if let new, new != old { data.field(name, new) }
    }
}

struct QlogPath: Equatable {
    var id: PathID
    var isValidated: Bool
}
