import GodwitWire

extension Instant {
    /// Seconds with six digits behind the point, rounded down: what a log can be aligned by.
    var inSecondsText: String {
        let microseconds = nanoseconds.magnitude / 1000
        let fraction = String(microseconds % 1_000_000)
        let zeros = String(repeating: "0", count: 6 - fraction.count)
        return "\(nanoseconds < 0 ? "-" : "")\(microseconds / 1_000_000).\(zeros)\(fraction) s"
    }
}

extension SimulatedNetwork {
    /// The events that the trace has kept, a line each.
    public var log: String {
        trace.events.reduce(into: "") { $0 += describe($1) + "\n" }
    }

    /// An event in words: when, what, which datagram, where.
    public func describe(_ event: TraceEvent) -> String {
        var text = padded(event.time.inSecondsText, to: 14) + "  "
        text += padded(
            event.reason.map { "\(event.kind) (\($0))" } ?? "\(event.kind)", to: 26, onTheLeft: false)
        switch event.kind {
        case .frozen, .thawed, .removed, .rebound, .linkChanged, .restarted: break
        case .moved: text += "to \(event.source) "
        case .noted: text += "0x\(String(event.serial, radix: 16)) "
        default: text += describeDatagram(event)
        }
        return text + "at \(name(of: event.place))"
    }

    private func describeDatagram(_ event: TraceEvent) -> String {
        let ecn = event.ecn == .notECT ? "" : "\(event.ecn) "
        return "#\(event.serial) \(event.size) B \(event.source) → \(event.destination) \(ecn)"
    }

    private func padded(_ text: String, to width: Int, onTheLeft: Bool = true) -> String {
        let spaces = String(repeating: " ", count: max(0, width - text.count))
        return onTheLeft ? spaces + text : text + spaces
    }

    private func name(of place: TraceEvent.Place) -> String {
        switch place {
        case .host(let id): name(of: id)
        case .link(let id): name(of: id)
        case .translator(let id): name(of: id)
        case .attacker(let id): name(of: id)
        case .internet: "the internet"
        }
    }
}
