import Foundation

extension PerfReport {
    /// The report as a table for people.
    public var text: String {
        var lines = [
            row("time", String(format: "%.3f s", seconds)),
            row("bytes", "\(downloadBytes) down, \(uploadBytes) up"),
            row("throughput", String(format: "%.0f Mbit/s", megabitsPerSecond)),
        ]
        if let clientCPUPerGB, let serverCPUPerGB {
            let figures = String(format: "%.3f s client, %.3f s server", clientCPUPerGB, serverCPUPerGB)
            lines.append(row("CPU a GB", figures))
        }
        lines += [
            row("requests", "\(requests), " + String(format: "%.0f a second", requestsPerSecond)),
            row(
                handshakes > 0 ? "CPU a handshake" : "CPU a request",
                String(format: "%.1f µs client, %.1f µs server", clientCPUPerRequest, serverCPUPerRequest)),
            row("packets lost", "\(packetsLost)"),
            row("UDP payload", "\(udpPayloadSize) bytes"),
        ]
        return lines.joined(separator: "\n")
    }

    /// The report as one JSON object.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private func row(_ name: String, _ value: String) -> String {
        name.padding(toLength: 16, withPad: " ", startingAt: 0) + value
    }
}
