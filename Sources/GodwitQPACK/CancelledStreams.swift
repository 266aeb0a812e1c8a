/// The streams that the decoder has cancelled last.
///
/// A section that is encoded for such a stream, because the news has reached the encoder but not yet the
/// application, is never acknowledged and never cancelled again. References in it would hold on to their
/// entries for good.
struct CancelledStreams: Sendable, Codable {
    private static let limit = 16
    private var streams: [UInt64] = []

    func contains(_ stream: UInt64) -> Bool { streams.contains(stream) }

    /// Notes a stream, in place of the one noted longest ago.
    mutating func insert(_ stream: UInt64) {
        guard !streams.contains(stream) else { return }
        if streams.count >= Self.limit { streams.removeFirst() }
        streams.append(stream)
    }
}
