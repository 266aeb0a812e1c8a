/// What is logged of a request.
struct AccessLogEntry: Sendable, Hashable {
    /// When it came, in milliseconds since 1970.
    var time: Int64 = 0
    var remote = ""
    var method = ""
    var authority: String?
    var path = ""
    /// `h3` or `http/1.1`.
    var version = ""
    /// Nil if it got no answer.
    var status: Int?
    /// How much content the answer had, in bytes, and the request, as far as it was read.
    var bytesSent: Int64 = 0
    var bytesReceived: Int64 = 0
    /// From the header section to the end of the answer, as far as it was handed over to the transport.
    var duration: Duration = .zero
    /// Whether it came in early data (RFC 8470).
    var isEarlyData = false
    var userAgent: String?
    var referrer: String?
    /// Whether the answer was broken off.
    var isAborted = false

    /// The entry as one JSON object on one line.
    var json: String {
        var line = JSONLine()
        line.add("time", HTTPTimestamp.internetText(time / 1000, milliseconds: time % 1000))
        line.add("remote", remote)
        line.add("method", method)
        line.add("authority", ifPresent: authority)
        line.add("path", path)
        line.add("protocol", version)
        if let status { line.add("status", status) }
        line.add("bytesSent", bytesSent)
        line.add("bytesReceived", bytesReceived)
        line.add("seconds", seconds: duration)
        if isEarlyData { line.add("earlyData", true) }
        if isAborted { line.add("aborted", true) }
        line.add("userAgent", ifPresent: userAgent)
        line.add("referrer", ifPresent: referrer)
        return line.finished()
    }
}
