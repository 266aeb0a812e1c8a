public import GodwitWire

/// Holds a host to a bound on what it sends to addresses that never answered it, such as candidates that it
/// probes.
///
/// Datagrams to an address from which the host was ever given anything don't count.
public final class SilentAddressChecker: Checker {
    /// The most recent times at which something was sent, as many as the limit.
    private struct Window {
        var times: ContiguousArray<Instant> = []
        var next = 0

        /// Whether this is one more than `limit` within `span`.
        mutating func exceeds(_ limit: Int, within span: TimeSpan, at time: Instant) -> Bool {
            guard times.count == limit else {
                times.append(time)
                return false
            }
            defer {
                times[next] = time
                next = (next + 1) % limit
            }
            return time - times[next] < span
        }
    }

    /// `silent addresses`.
    public let name = "silent addresses"
    private let host: HostID
    private let limitPerAddress: Int
    private let limit: Int
    private let window: TimeSpan
    private var heard: Set<NetworkAddress> = []
    private var windows: [NetworkAddress: Window] = [:]
    private var total = Window()

    /// Watches a host.
    ///
    /// - Parameters:
    ///   - host: the host.
    ///   - limitPerAddress: the most datagrams to one silent address in a window.
    ///   - limit: the most datagrams to all silent addresses in a window.
    ///   - window: how long a window is; it slides.
    public init(_ host: HostID, limitPerAddress: Int, limit: Int, window: TimeSpan) {
        precondition(limitPerAddress > 0 && limit > 0)
        self.host = host
        self.limitPerAddress = limitPerAddress
        self.limit = limit
        self.window = window
    }

    /// Counts what the host sends into silence.
    public func check(_ event: TraceEvent, payload: UnsafeRawBufferPointer) -> String? {
        guard event.place == .host(host) else { return nil }
        if event.kind == .delivered { heard.insert(event.source) }
        guard event.kind == .sent, !heard.contains(event.destination) else { return nil }
        let isTooMuchThere = windows[event.destination, default: Window()]
            .exceeds(limitPerAddress, within: window, at: event.time)
        let isTooMuch = total.exceeds(limit, within: window, at: event.time)
        if isTooMuchThere {
            return "more than \(limitPerAddress) datagrams to silent \(event.destination) within \(window)"
        }
        return isTooMuch ? "more than \(limit) datagrams to silent addresses within \(window)" : nil
    }
}
