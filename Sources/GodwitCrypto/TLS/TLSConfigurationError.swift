/// What is wrong with a certificate, a key, or another part of a TLS configuration, and where.
public struct TLSConfigurationError: Error, Hashable, Sendable {
    /// What the fault was found in, as the caller named it: a file, a setting.
    public var source: String
    /// What is wrong there.
    public var problem: String

    /// A fault and where it is.
    public init(source: String, problem: String) {
        self.source = source
        self.problem = problem
    }
}

extension TLSConfigurationError: CustomStringConvertible {
    /// Source and problem.
    public var description: String { "\(source): \(problem)" }
}
