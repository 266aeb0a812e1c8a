public import GodwitCrypto
public import GodwitWire

/// What a connection has to tell its application.
public enum ConnectionEvent: Sendable, Hashable, Codable {
    /// The handshake is complete: the peer is who it says, streams and datagrams flow.
    case handshakeCompleted(HandshakeSummary)
    /// The peer is known to have completed the handshake too (RFC 9001 section 4.1.2).
    case handshakeConfirmed
    /// The server did not take the early data; everything sent so far is sent again after the handshake.
    case earlyDataRejected
    /// Something happened on a stream.
    case stream(StreamEvent)
    /// A DATAGRAM frame has come and waits to be read.
    case datagramsReadable
    /// What a client keeps to resume the session, with early data if the server allows it.
    case resumptionTicket(ResumptionTicket)
    /// What a client keeps to be believed its address at once by this server (RFC 9000 section 8.1.3).
    case addressToken([UInt8])
    /// The connection runs over another pair of addresses now.
    case pathChanged(local: NetworkAddress, remote: NetworkAddress)
    /// The connection is over. Nothing follows.
    case closed(ConnectionCloseReason)
}

/// What a client remembers of a session, for the next connection to the same server.
///
/// It holds secrets of the session: keep it as you would a password.
public struct ResumptionTicket: Sendable, Hashable, Codable {
    /// The TLS session.
    public var session: [UInt8]
    /// The version of QUIC it was made in: a ticket is good for no other (RFC 9369 section 5).
    public var version: QUICVersion
    /// The server's transport parameters, which early data has to keep to (RFC 9000 section 7.4.1).
    public var transportParameters: [UInt8]

    /// Puts the parts of a ticket together.
    public init(session: [UInt8], version: QUICVersion, transportParameters: [UInt8]) {
        self.session = session
        self.version = version
        self.transportParameters = transportParameters
    }
}

/// What an endpoint has to tell its driver.
public enum EndpointEvent: Sendable {
    /// A client has opened a connection; its handshake is under way.
    case accepted(ConnectionHandle)
    /// Something happened on a connection.
    case connection(ConnectionHandle, ConnectionEvent)
}
