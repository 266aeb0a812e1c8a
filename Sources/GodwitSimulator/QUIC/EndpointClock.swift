import GodwitWire

/// Turns a host's clock, which jumps when the host was frozen or moved, into instants of one endpoint, which
/// never do.
struct EndpointClock {
    /// The host's time at instant zero.
    private var epoch = Instant.zero
    private var latest = Instant.zero

    mutating func start(local: Instant) { epoch = local }

    mutating func read(_ local: Instant) -> Instant {
        latest = max(latest, .zero + (local - epoch))
        return latest
    }

    /// For the endpoint no time has passed since it was last called.
    mutating func resume(local: Instant) { epoch = local - (latest - .zero) }

    func local(of instant: Instant) -> Instant { instant + (epoch - .zero) }
}
