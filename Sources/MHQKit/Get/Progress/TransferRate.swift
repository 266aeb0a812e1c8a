/// How fast something has come lately.
struct TransferRate: Hashable, Sendable {
    private struct Sample: Hashable, Sendable {
        var time: Duration
        var bytes: Int64
    }

    private var samples: [Sample] = []

    /// What came before is of no more interest.
    private static let memory = Duration.seconds(3)

    /// Notes how many bytes have come in all at a moment; moments come in their order.
    mutating func note(_ bytes: Int64, at time: Duration) {
        samples.append(Sample(time: time, bytes: bytes))
        while samples.count > 2, samples[1].time <= time - Self.memory { samples.removeFirst() }
    }

    /// In bytes a second; nil while nothing can be said.
    var bytesPerSecond: Double? {
        guard let first = samples.first, let last = samples.last, last.time > first.time else { return nil }
        return Double(last.bytes - first.bytes) / (last.time - first.time).inSeconds
    }
}
