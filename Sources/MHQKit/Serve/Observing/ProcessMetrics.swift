import Foundation

/// What Prometheus's own clients tell of their process.
enum ProcessMetrics {
    /// In the text format; what the system does not tell is left out.
    static var text: String {
        var text = line("process_cpu_seconds_total", "counter", PerfProtocol.processCPUTime.inSeconds)
        let memory = PerfProtocol.processMemory
        if memory > 0 { text += line("process_resident_memory_bytes", "gauge", Double(memory)) }
        if let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            text += line("process_open_fds", "gauge", Double(files.count))
        }
        return text + line("process_start_time_seconds", "gauge", startTime)
    }

    /// When it was first asked for, which the server does when it starts.
    static let startTime = Double(WallClock.milliseconds) / 1000

    private static func line(_ name: String, _ kind: String, _ value: Double) -> String {
        let number = value.rounded() == value ? "\(Int64(value))" : "\(value)"
        return "# TYPE \(name) \(kind)\n\(name) \(number)\n"
    }
}
