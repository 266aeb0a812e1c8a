import GodwitTestSupport

extension LogRecorder {
    /// Whether a limit of that name was said to be hit.
    func names(limit: String) -> Bool {
        lines.contains { $0.hasPrefix("notice limit hit") && $0.contains("\"limit\": \(limit)") }
    }
}
