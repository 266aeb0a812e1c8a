import GodwitCrypto
public import GodwitWire

// From a datagram to the connection it belongs to (RFC 9000 section 5.2).
extension Endpoint {
    func route(_ datagram: UnsafeMutableRawBufferPointer, _ arrival: DatagramArrival) {
        let view = UnsafeRawBufferPointer(datagram)
        if let connection = owner(of: view, from: arrival.remote) {
            connection.receive(datagram, arrival: arrival)
            connection.wake()
        } else if resetConnection(by: view, arrival) {
            return
        } else if let header = InvariantLongHeader.decode(view) {
            receiveUnknown(header, datagram, arrival)
        } else {
            answerUnknownShort(view, arrival)
        }
    }

    private func owner(of datagram: UnsafeRawBufferPointer, from remote: NetworkAddress) -> Connection? {
        guard let id = Endpoint.destinationID(of: datagram) else { return nil }
        if let connection = table.connection(for: id) { return connection }
        // Only handshakes go on under an id that the client made up.
        guard datagram[0] & 0x80 != 0 else { return nil }
        return table.connection(forOriginal: id, from: remote)
    }

    /// The connection id that a datagram is addressed to, nil when it cannot be one of ours.
    static func destinationID(of datagram: UnsafeRawBufferPointer) -> ConnectionID? {
        guard let first = datagram.first else { return nil }
        if first & 0x80 != 0 {
            return InvariantLongHeader.decode(datagram).flatMap { ConnectionID($0.destinationID) }
        }
        let end = 1 + ConnectionIDGenerator.format.length
        guard datagram.count >= end else { return nil }
        return ConnectionID(UnsafeRawBufferPointer(rebasing: datagram[1..<end]))
    }

    // MARK: Event loops

    /// Whether a connection of this endpoint is addressed.
    public func owns(_ datagram: UnsafeRawBufferPointer, from remote: NetworkAddress) -> Bool {
        owner(of: datagram, from: remote) != nil
    }

    /// The event loop whose endpoint made the connection id that the datagram is addressed to; a hint, which
    /// is wrong after the number of loops has changed. Nil for the first packets of a connection.
    public func shard(of datagram: UnsafeRawBufferPointer) -> UInt16? {
        Endpoint.destinationID(of: datagram).flatMap { environment.connectionIDs.shard(of: $0) }
    }

    // MARK: Stateless reset

    /// RFC 9000 section 10.3.1: the last 16 bytes of a datagram that belongs nowhere may end a connection, if
    /// it comes from where the connection's peer is.
    private func resetConnection(by datagram: UnsafeRawBufferPointer, _ arrival: DatagramArrival) -> Bool {
        guard let token = StatelessReset.token(of: datagram), let connection = table.connection(for: token),
            connection.lifecycle.isOpen, connection.paths.isStatelessReset(token, from: arrival.remote)
        else { return false }
        connection.reset(from: arrival)
        connection.wake()
        return true
    }

    private func answerUnknownShort(_ datagram: UnsafeRawBufferPointer, _ arrival: DatagramArrival) {
        statistics.datagramsDropped += 1
        guard environment.configuration.server != nil,
            let id = Endpoint.destinationID(of: datagram), isFixedBitGood(FirstByte(rawValue: datagram[0])),
            // RFC 9000 section 21.11: the connection may live on where the id was made, or when.
            environment.connectionIDs.isOwnServers(id),
            moving.permitsReset(
                at: arrival.now,
                isIssuedHere: !environment.connectionIDs.wasIssued(id, before: environment.startTime)),
            let length = StatelessReset.length(answering: datagram.count),
            resetAllowance.consume(at: arrival.now)
        else { return }
        let unpredictable = environment.random.bytes(length - StatelessResetToken.length)
        reply(to: arrival, size: length) { writer in
            unpredictable.withUnsafeBytes {
                StatelessReset.encode(
                    environment.connectionIDs.resetToken(for: id), unpredictable: $0, into: &writer)
            }
        }
        statistics.statelessResetsSent += 1
    }
}
