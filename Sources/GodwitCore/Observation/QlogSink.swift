public import GodwitWire

/// Takes the log of one connection, record by record.
///
/// It is called on the event loop of the endpoint, so it has to return at once; a sink that writes somewhere
/// slow keeps a bounded number of records for another thread and drops the rest. When the connection is over,
/// its reference goes.
public protocol QlogSink: AnyObject {
    /// Takes a JSON text in the framing of RFC 7464; the concatenation of all records is a `.sqlog` file.
    func write(_ record: [UInt8])
}

/// Makes the sinks of connections; see ``EndpointConfiguration/qlog``.
public protocol QlogSinkFactory: Sendable {
    /// The sink for a connection, nil to not log it.
    func makeSink(for connection: QlogConnectionName) -> (any QlogSink)?
}

/// What tells the logs of connections apart.
public struct QlogConnectionName: Sendable, Hashable {
    /// What the client's very first packet was addressed to, which both ends know (RFC 9000 section 7.3).
    public var originalDestination: ConnectionID
    /// On which side the log is written.
    public var role: Role

    /// A name from its parts.
    public init(originalDestination: ConnectionID, role: Role) {
        self.originalDestination = originalDestination
        self.role = role
    }
}

extension QlogConnectionName: CustomStringConvertible {
    /// The id in hexadecimal and the role, as the qlog draft recommends for file names.
    public var description: String { "\(originalDestination)_\(role == .client ? "client" : "server")" }
}
