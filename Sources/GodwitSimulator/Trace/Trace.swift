import GodwitWire

/// What a network traces besides the hash and the figures.
public struct TraceDetail: OptionSet, Hashable, Sendable {
    /// One bit for each detail.
    public let rawValue: UInt8

    /// The details whose bits are set.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Every event, about a hundred bytes each.
    public static let events = TraceDetail(rawValue: 1)
    /// The payload of each datagram sent, as part of the hash. Leave it out where payloads hold randomness
    /// that the seed does not rule, as those of a real TLS handshake do.
    public static let payloads = TraceDetail(rawValue: 2)
}

/// What happened in a network: always as a hash and in figures, on request event by event.
public struct Trace {
    /// What is traced besides the hash and the figures.
    public let detail: TraceDetail
    /// The events so far, where they are kept.
    public private(set) var events: ContiguousArray<TraceEvent> = []
    /// How many events of each kind there were.
    public private(set) var counts = TraceCounts()

    private var runningHash = TraceHash()

    init(_ detail: TraceDetail) { self.detail = detail }

    /// The hash of all that happened so far. Two runs that did the same have the same.
    public var hash: UInt64 { runningHash.value }

    mutating func record(_ event: TraceEvent, payload: UnsafeRawBufferPointer) {
        runningHash.combine(event)
        if detail.contains(.payloads), event.kind == .sent { runningHash.combine(payload) }
        counts.add(event)
        if detail.contains(.events) { events.append(event) }
    }
}

/// How often what happened in a network.
public struct TraceCounts: Hashable, Sendable {
    private var kinds = [UInt64](repeating: 0, count: TraceEvent.Kind.allCases.count)
    private var reasons = [UInt64](repeating: 0, count: DropReason.allCases.count)
    /// The bytes of payload that programs sent.
    public private(set) var sentBytes: UInt64 = 0
    /// The bytes of payload that programs were given.
    public private(set) var deliveredBytes: UInt64 = 0

    /// How many events of that kind there were.
    public subscript(kind: TraceEvent.Kind) -> UInt64 { kinds[Int(kind.rawValue)] }
    /// How many datagrams were dropped for that reason.
    public subscript(reason: DropReason) -> UInt64 { reasons[Int(reason.rawValue)] }

    mutating func add(_ event: TraceEvent) {
        kinds[Int(event.kind.rawValue)] += 1
        if let reason = event.reason { reasons[Int(reason.rawValue)] += 1 }
        switch event.kind {
        case .sent: sentBytes += UInt64(event.size)
        case .delivered: deliveredBytes += UInt64(event.size)
        default: break
        }
    }
}

extension TraceCounts: CustomStringConvertible {
    /// `sent 12, delivered 10, dropped 2 (randomLoss 2)`.
    public var description: String {
        let parts = TraceEvent.Kind.allCases.filter { self[$0] > 0 }.map { "\($0) \(self[$0])" }
        let drops = DropReason.allCases.filter { self[$0] > 0 }.map { "\($0) \(self[$0])" }
        return parts.joined(separator: ", ") + (drops.isEmpty ? "" : " (\(drops.joined(separator: ", ")))")
    }
}
