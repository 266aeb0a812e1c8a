import GodwitWire

/// A stand-in for ``TLSClient``, for simulations that have to run the same way each time: BoringSSL's
/// randomness can't be taken from it, so with real TLS no two runs have the same bytes.
///
/// It has the messages of TLS 1.3 with BoringSSL's sizes, its order of secrets, resumption and early data;
/// but it agrees on keys without any secret, so whoever listens can compute them. Therefore it is not public.
package struct DeterministicTLSClient: Sendable {
    package var applicationProtocols: [String]
    /// Whether the ClientHello is as large as one with ML-KEM, or fits one packet.
    package var offersMLKEM = true
    /// Changes the transport parameters that are sent, for tests of what the peer makes of them.
    package var editParameters: (@Sendable ([UInt8]) -> [UInt8])?

    package init(applicationProtocols: [String]) { self.applicationProtocols = applicationProtocols }

    /// A handshake with one server, with the parameters of ``TLSClient``'s and the randomness to use.
    package func makeHandshake(
        serverName: String, transportParameters: [UInt8], ticket: [UInt8]? = nil,
        offersEarlyData: Bool = false,
        random: RandomGenerator
    ) -> DeterministicClientHandshake {
        let ticket = ticket.flatMap { StandInTicket($0) }
        return DeterministicClientHandshake(
            configuration: self, serverName: serverName.lowercased(),
            transportParameters: editParameters?(transportParameters) ?? transportParameters,
            ticket: ticket?.serverName == serverName.lowercased() ? ticket : nil,
            offersEarlyData: offersEarlyData, random: random)
    }
}

/// A stand-in for ``TLSServer``; see ``DeterministicTLSClient``.
package struct DeterministicTLSServer: Sendable {
    package var applicationProtocols: [String]
    /// What tickets are sealed with; nil for none.
    package var ticketKeys: TicketKeys?
    package var ticketCount = 2
    /// Whether early data is taken, if nobody sent it before.
    package var earlyData: ReplayFilter?
    /// For the filter; seconds since 1970.
    package var currentTime: @Sendable () -> Int64 = { 0 }
    /// The size of the certificate in its message.
    package var certificateLength = 700
    /// Changes the transport parameters that are sent, for tests of what the peer makes of them.
    package var editParameters: (@Sendable ([UInt8]) -> [UInt8])?

    package init(applicationProtocols: [String]) { self.applicationProtocols = applicationProtocols }

    /// A handshake with one client, with the parameters of ``TLSServer``'s and the randomness to use.
    package func makeHandshake(
        earlyDataContext: [UInt8] = [], random: RandomGenerator,
        transportParameters: @escaping TransportParametersAnswer
    ) -> DeterministicServerHandshake {
        let edit = editParameters ?? { $0 }
        return DeterministicServerHandshake(
            configuration: self, earlyDataContext: earlyDataContext, random: random,
            transportParameters: { parameters throws(TransportError) in
                edit(try transportParameters(parameters))
            })
    }
}
