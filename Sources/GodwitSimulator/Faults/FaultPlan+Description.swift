import GodwitWire

extension FaultPlan: CustomStringConvertible {
    /// The plan as a person reads it, over several lines.
    public var description: String {
        var lines = ["seed \(seed), to be done within \(timeLimit)"]
        lines.append("server at \(server.address)\(hostText(server.clockOffset, server.collecting))")
        for (index, client) in clients.enumerated() { lines += describe(client, index) }
        lines += faults.map(\.description)
        return lines.joined(separator: "\n")
    }

    private func describe(_ client: ClientPlan, _ index: Int) -> [String] {
        var lines = ["client \(index) at \(client.address) from \(client.start)"]
        lines[0] += hostText(client.clockOffset, client.collecting)
        if let translator = client.translator {
            lines.append("    behind \(translator.outside): \(translator.parameters)")
        }
        lines.append("    up: \(client.egress)")
        lines.append("    down: \(client.ingress)")
        lines += client.workload.map { "    \($0)" }
        return lines
    }

    private func hostText(_ clockOffset: TimeSpan, _ collecting: TimeSpan) -> String {
        let trains = collecting > .zero ? ", collects for \(collecting)" : ""
        return ", clock at \(clockOffset)\(trains)"
    }
}

extension WorkloadStep: CustomStringConvertible {
    /// `uploads 1200 B`.
    public var description: String {
        switch self {
        case .upload(let bytes): "uploads \(bytes) B"
        case .download(let bytes): "downloads \(bytes) B"
        case .requests(let count, let requestBytes, let responseBytes, let pause):
            "makes \(count) requests of \(requestBytes) B for \(responseBytes) B, \(pause) apart"
        case .idle(let span): "is idle for \(span)"
        }
    }
}

extension TimedFault: CustomStringConvertible {
    /// `at 1.2 s the server freezes for 3.0 s`.
    public var description: String { "at \(time) \(fault)" }
}

extension Fault: CustomStringConvertible {
    /// What goes wrong, as a sentence.
    public var description: String {
        switch self {
        case .rebinding(let client, let address):
            "the translator of client \(client) rebinds\(address.map { " to \($0)" } ?? "")"
        case .freeze(let participant, let lasting, let jump, let address):
            "\(participant) freezes for \(lasting)\(jump == .zero ? "" : ", its clock jumps by \(jump)")"
                + (address.map { ", it goes on at \($0)" } ?? "")
        case .restart(let lasting): "the server's process ends, after \(lasting) there is another"
        case .move(let client, let address): "client \(client) moves to \(address)"
        case .outage(let client, let lasting): "client \(client) is cut off for \(lasting)"
        case .change(let client, let egress, let ingress):
            "the access of client \(client) becomes up: \(egress); down: \(ingress)"
        case .attack(let client, let parameters, let address):
            "an attacker at \(address) listens to client \(client), \(parameters)"
        }
    }
}

extension Fault.Participant: CustomStringConvertible {
    /// `the server`, `client 1`.
    public var description: String {
        switch self {
        case .server: "the server"
        case .client(let index): "client \(index)"
        }
    }
}
