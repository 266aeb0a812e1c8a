import GodwitCore

/// What has gone through an endpoint's sockets.
struct TrafficCounts: Sendable, Hashable {
    var datagramsReceived: UInt64 = 0
    var bytesReceived: UInt64 = 0
    var datagramsSent: UInt64 = 0
    var bytesSent: UInt64 = 0
    /// Datagrams that the system would not send.
    var datagramsNotSent: UInt64 = 0
    /// What was received and could not be a datagram of QUIC.
    var unusable: UInt64 = 0

    mutating func noteReceived(_ count: Int, segmentSize: Int?) {
        bytesReceived &+= UInt64(count)
        let size = max(1, segmentSize ?? count)
        datagramsReceived &+= UInt64((count + size - 1) / size)
    }

    mutating func noteUnusable() { unusable &+= 1 }

    mutating func noteSent(_ transmission: Transmission) {
        bytesSent &+= UInt64(transmission.count)
        datagramsSent &+= UInt64(transmission.datagramCount)
    }

    mutating func noteDropped(_ transmission: Transmission) {
        datagramsNotSent &+= UInt64(transmission.datagramCount)
    }
}
