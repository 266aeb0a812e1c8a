/// Spans of time as options have them.
public enum Seconds {
    private static let longest = 86_400.0 * 365

    /// - Parameters:
    ///   - seconds: zero or more, up to a year.
    ///   - option: is named in the failure.
    public static func parse(_ seconds: Double, option: String) throws(Failure) -> Duration {
        guard seconds >= 0, seconds <= longest else {
            throw Failure(ExitCode.usage, "\(option): '\(seconds)' is no number of seconds")
        }
        return .seconds(seconds)
    }
}
