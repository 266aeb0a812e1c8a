public import GodwitCore
public import GodwitWire

/// What a simulated endpoint does with its connections.
///
/// The methods are called one after the other, never from within each other, and may call everything of the
/// program and its connections. All times are those of ``EndpointProgram/now``.
public protocol EndpointApplication: AnyObject {
    /// The host is there; a client connects now. By default nothing happens.
    func start(_ program: EndpointProgram)

    /// A client has opened a connection; its handshake is under way. By default nothing happens.
    func accepted(_ connection: SimulatedConnection, _ program: EndpointProgram)

    /// Something happened on a connection. `closed` comes last.
    func happened(_ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram)

    /// When ``handleDeadline(_:)`` is to be called; nil, the default, for never.
    var nextDeadline: Instant? { get }

    /// The deadline has come. By default nothing happens.
    func handleDeadline(_ program: EndpointProgram)

    /// The host goes on after a freeze, or at another address. By default nothing happens.
    func resume(_ program: EndpointProgram)
}

extension EndpointApplication {
    /// Does nothing.
    public func start(_ program: EndpointProgram) {}
    /// Does nothing.
    public func accepted(_ connection: SimulatedConnection, _ program: EndpointProgram) {}
    /// Never.
    public var nextDeadline: Instant? { nil }
    /// Does nothing.
    public func handleDeadline(_ program: EndpointProgram) {}
    /// Does nothing.
    public func resume(_ program: EndpointProgram) {}
}
