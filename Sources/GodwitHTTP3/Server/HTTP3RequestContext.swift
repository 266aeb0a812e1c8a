public import Godwit
public import GodwitHTTP3Core
public import GodwitWire

/// What the head of a request does not say: where it came from, and how.
public struct HTTP3RequestContext: Sendable {
    let exchange: ServerExchange

    /// The request's stream, which names it within its connection.
    public var streamID: StreamID { exchange.id }

    /// The connection, for its handshake, its addresses and its statistics. Its streams are HTTP/3's.
    public var connection: QUICConnection { exchange.driver.quic }

    /// Where the client is. It changes when the client moves (RFC 9000 section 9).
    nonisolated(nonsending) public var remoteAddress: NetworkAddress {
        get async { await exchange.onLoop { exchange.port.remoteAddress } }
    }

    /// Whether the request came in early data (0-RTT), where someone may have repeated it (RFC 8470). To be
    /// sure that it was not, wait for the connection's `handshakeCompleted()`.
    nonisolated(nonsending) public var isEarlyData: Bool {
        get async { await exchange.onLoop { exchange.isEarlyData } }
    }

    /// How the client wants the response to compete with its others (RFC 9218). It may change meanwhile.
    nonisolated(nonsending) public var priority: HTTP3Priority {
        get async { await exchange.onLoop { exchange.priority } }
    }

    /// Gives the response another priority than the client asked for (RFC 9218 section 8). What the client
    /// asks for later overrules it.
    nonisolated(nonsending) public func setPriority(_ priority: HTTP3Priority) async {
        await exchange.onLoop { exchange.server.setPriority(priority, of: exchange.id) }
    }
}
