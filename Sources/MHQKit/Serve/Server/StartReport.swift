public import GodwitHTTP3

/// What the user is told when the server has started.
public struct StartReport: Hashable, Sendable {
    /// A URL that works on this machine.
    public var url: String
    /// Where HTTP/3 is spoken.
    public var udp: [NetworkAddress] = []
    /// Where HTTPS is spoken over TCP.
    public var tcp: [NetworkAddress] = []
    /// The folder that is served.
    public var root: String?
    /// Where metrics can be fetched.
    public var metricsURL: String?
    /// Where an operator has the server move.
    public var control: String?
    /// Where the certificate is that was made for this run.
    public var selfSignedFile: String?

    /// For people, without an end of line.
    public var text: String {
        var lines = ["mhq serves \(root ?? "test resources (no files: --root DIR)") at \(url)"]
        var places = "HTTP/3 at UDP " + udp.map { "\($0)" }.joined(separator: ", ")
        if !tcp.isEmpty { places += "; HTTPS at the same TCP ports, from where browsers find it" }
        lines.append("  " + places)
        if let metricsURL { lines.append("  metrics at \(metricsURL)") }
        if let control { lines.append("  moves by mhq migrate --control \(control)") }
        if let selfSignedFile {
            lines += [
                "  The certificate was made for this run; nobody trusts it unless told to:",
                "    mhq get --ca-file \(selfSignedFile) \(url)",
                "    curl --http3-only --cacert \(selfSignedFile) \(url)",
            ]
        }
        return lines.joined(separator: "\n")
    }

    /// For programs: one JSON object on one line.
    public var json: String {
        var line = JSONLine()
        line.add("event", "listening")
        line.add("url", url)
        line.add("udp", udp.map { "\($0)" })
        line.add("tcp", tcp.map { "\($0)" })
        line.add("root", ifPresent: root)
        line.add("metrics", ifPresent: metricsURL)
        line.add("control", ifPresent: control)
        line.add("selfSignedCertificate", ifPresent: selfSignedFile)
        return line.finished()
    }
}
