import GodwitHTTP3
import HTTPTypes

/// Tells on standard error what goes to and fro, for `-v`.
struct RequestTrace: Sendable {
    let display: ProgressDisplay

    func connection(_ facts: ConnectionFacts, to server: String) async {
        var line = "* \(server) at \(facts.remoteAddress): QUIC \(facts.version), \(facts.cipherSuite)"
        line += ", \(facts.keyExchange)"
        if facts.isResumed { line += ", resumed" }
        if facts.earlyDataAccepted { line += ", early data taken" }
        await display.tell([line])
    }

    func request(_ request: HTTPRequest) async {
        var lines = ["> \(request.method.rawValue) \(request.path ?? "") HTTP/3"]
        if let authority = request.authority { lines.append("> host: \(authority)") }
        await tell(lines, request.headerFields, ">")
    }

    func response(_ response: HTTPResponse) async {
        await tell(["< HTTP/3 \(response.status)"], response.headerFields, "<")
    }

    private func tell(_ lines: [String], _ fields: HTTPFields, _ mark: String) async {
        let fields = fields.map { "\(mark) \($0.name.canonicalName): \($0.value)" }
        await display.tell((lines + fields + [mark]).map(Columns.printable))
    }
}
