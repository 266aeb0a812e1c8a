public import Godwit

/// A server's answer to an operator, as read from its line.
public struct OperatorReport: Sendable {
    /// Whether the command was carried out.
    public let isDone: Bool
    /// Why it was not.
    public let error: String
    /// With what to end the operator's program.
    public let exitCode: Int32
    /// The plan.
    public let epoch: MigrationEpoch?
    /// How many connections will follow, and how many there are.
    public let ready: Int?
    /// How many connections the plan knows of.
    public let connections: Int?
    /// In words, how far the connections are.
    public let summary: String?
    /// Where the server is.
    public let address: String?
    /// `serving`, `prepared` or `held`.
    public let state: String?
    /// How many connections there are.
    public let openConnections: Int?
    /// Where the server may move without further notice.
    public let pool: [String]
    /// How far each connection is.
    public let outcomes: [String: String]

    /// Reads an answer.
    public init(line: String) throws(Failure) {
        guard let members = JSONValue.members(of: line), let isDone = members["ok"]?.flag else {
            throw Failure(ExitCode.protocolError, "the server's answer makes no sense: \(line.prefix(100))")
        }
        self.isDone = isDone
        error = members["error"]?.text ?? ""
        exitCode = members["exitCode"]?.whole.map { Int32(clamping: $0) } ?? (isDone ? 0 : ExitCode.software)
        epoch = members["epoch"]?.whole.map { MigrationEpoch(rawValue: $0) }
        ready = members["ready"]?.whole.map { Int(clamping: $0) }
        connections = members["connections"]?.whole.map { Int(clamping: $0) }
        summary = members["summary"]?.text
        address = members["address"]?.text
        state = members["state"]?.text
        openConnections = members["openConnections"]?.whole.map { Int(clamping: $0) }
        pool = members["pool"]?.texts ?? []
        outcomes = members["outcomes"]?.table ?? [:]
    }
}
