/// What became of a request.
struct TransferReport: Hashable, Sendable {
    var url = ""
    /// Nil if there was no answer.
    var status: Int?
    /// How much content came, in bytes.
    var bytes: Int64 = 0
    /// How much was sent.
    var bytesSent: Int64 = 0
    /// From the beginning to the end, with the time for connecting if it took a connection of its own.
    var duration: Duration = .zero
    var connection: ConnectionFacts?
    /// Whether the request went out in early data, and the server took it.
    var usedEarlyData = false
    /// Where the content is.
    var file: String?
    var failure: Failure?

    /// One JSON object on one line.
    var json: String {
        var line = JSONLine()
        line.add("url", url)
        if let status { line.add("status", status) }
        line.add("bytes", bytes)
        if bytesSent > 0 { line.add("bytesSent", bytesSent) }
        line.add("seconds", seconds: duration)
        if let connection {
            line.add("protocol", connection.applicationProtocol)
            line.add("version", connection.version)
            line.add("resumed", connection.isResumed)
            line.add("earlyData", usedEarlyData)
            line.add("localAddress", connection.localAddress)
            line.add("remoteAddress", connection.remoteAddress)
        }
        line.add("file", ifPresent: file)
        if let failure {
            line.add("error", failure.message)
            line.add("exitCode", failure.exitCode)
        }
        return line.finished()
    }
}

/// What is told of a connection.
struct ConnectionFacts: Hashable, Sendable {
    var applicationProtocol = "h3"
    /// Of QUIC: `v1` or `v2`.
    var version = ""
    var isResumed = false
    var earlyDataAccepted = false
    var cipherSuite = ""
    var keyExchange = ""
    var localAddress = ""
    var remoteAddress = ""
}
