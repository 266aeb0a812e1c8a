/// The congestion avoidance of RFC 9002 section 7.
struct NewReno: Codable, Sendable, Equatable {
    /// Bytes acknowledged in congestion avoidance since the window last grew.
    private var bytesAcked: UInt64 = 0

    /// RFC 9002 section 7.3.3: one datagram for every window acknowledged, by counted bytes so that nothing
    /// is lost to division (RFC 3465 section 2.1).
    mutating func grow(_ window: UInt64, acked bytes: UInt64, maximumDatagramSize: UInt64) -> UInt64 {
        bytesAcked += bytes
        guard bytesAcked >= window else { return window }
        bytesAcked = min(bytesAcked - window, window)
        return window + maximumDatagramSize
    }

    /// RFC 9002 section 7.3.2: kLossReductionFactor is a half.
    mutating func reduce(_ window: UInt64) -> UInt64 {
        bytesAcked = 0
        return window / 2
    }
}
