import GodwitCrypto
import GodwitWire

// What a server does with packets of nobody's connection (RFC 9000 sections 5.2.2, 6 and 8.1).
extension Endpoint {
    func receiveUnknown(
        _ header: InvariantLongHeader, _ datagram: UnsafeMutableRawBufferPointer, _ arrival: DatagramArrival
    ) {
        // RFC 9000 section 14.1: anything smaller is not answered, whatever it is.
        guard let server = environment.configuration.server, arrival.size >= MTUDiscovery.base else {
            return drop()
        }
        guard environment.configuration.transport.versions.contains(header.version) else {
            return negotiateVersion(header, arrival)
        }
        let view = UnsafeRawBufferPointer(datagram)
        guard case .long(let header)? = PacketHeader.decode(view, connectionIDLength: 0),
            header.type == .initial,
            isFixedBitGood(header.firstByte),
            // RFC 9000 section 7.2.
            header.destinationID.length >= 8
        else { return drop() }
        judge(header, datagram, arrival, server)
    }

    /// RFC 9000 section 17.2, and RFC 9287 section 3: a client that learnt in an earlier connection that we
    /// take it may clear the bit from its first packet on.
    func isFixedBitGood(_ first: FirstByte) -> Bool {
        first.hasFixedBit || environment.configuration.transport.greasesQUICBit
    }

    private func drop() { statistics.datagramsDropped += 1 }

    private func judge(
        _ header: LongHeader, _ datagram: UnsafeMutableRawBufferPointer, _ arrival: DatagramArrival,
        _ server: ServerConfiguration
    ) {
        let token = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(datagram)[header.tokenRange])
        let verdict = environment.addressValidation!.verify(
            token, destination: header.destinationID, remote: arrival.remote,
            unixTime: environment.unixTime(at: arrival.now))
        var acceptance = Connection.Acceptance(
            version: header.version, destination: header.destinationID, source: header.sourceID,
            originalDestination: nil, isAddressValidated: true)
        switch verdict {
        case .retried(let original): acceptance.originalDestination = original
        case .returning: break
        case .invalidRetry: return refuse(header, .invalidToken, arrival)
        case .unknown:
            if wantsRetry(server), header.version != .mvfst { return retry(header, arrival) }
            acceptance.isAddressValidated = false
        }
        accept(acceptance, header, datagram, arrival, server)
    }

    private func wantsRetry(_ server: ServerConfiguration) -> Bool {
        switch server.retryPolicy {
        case .never: false
        case .always: true
        case .whenHandshakesExceed(let limit): handshakesUnderWay >= limit
        }
    }

    private func accept(
        _ acceptance: Connection.Acceptance, _ header: LongHeader, _ datagram: UnsafeMutableRawBufferPointer,
        _ arrival: DatagramArrival, _ server: ServerConfiguration
    ) {
        guard handshakesUnderWay < server.maxHandshakes else { return drop() }
        guard table.count < server.maxConnections, !isClosedToNewConnections else {
            return refuse(header, .connectionRefused, arrival)
        }
        let connection = table.insert { handle in
            try? Connection.server(
                acceptance, arrival: arrival, environment: environment, server: server, handle: handle)
        }
        guard let connection else { return refuse(header, .internalError, arrival) }
        connection.collectTableChanges()
        if acceptance.isAddressValidated {
            environment.observer?.onAddressValidated(arrival.remote, of: connection.handle)
        }
        table.registerOriginal(header.destinationID, from: arrival.remote, for: connection.handle)
        connection.countsAsHandshake = true
        handshakesUnderWay += 1
        connection.receive(datagram, arrival: arrival)
        finishAccepting(connection)
    }

    /// A packet that only looks like the start of a connection leaves nothing behind.
    private func finishAccepting(_ connection: Connection) {
        if connection.received.initial.largest == nil, connection.lifecycle == .handshaking {
            connection.abandonSilently()
        } else {
            statistics.accepted += 1
            accepted.append(connection.handle)
        }
        connection.wake()
    }

    // MARK: Answers without a connection

    private func negotiateVersion(_ header: InvariantLongHeader, _ arrival: DatagramArrival) {
        guard header.version != .negotiation else { return drop() }
        let random = environment.random.next()
        // RFC 9000 section 6.3: a reserved version keeps clients used to unknown ones.
        let versions =
            environment.configuration.transport.versions + [
                .reserved(random: UInt32(truncatingIfNeeded: random))
            ]
        reply(
            to: arrival,
            size: VersionNegotiationPacket.encodedSize(answering: header, versionCount: versions.count)
        ) { writer in
            VersionNegotiationPacket.encode(
                answering: header, versions: versions, random: UInt8(truncatingIfNeeded: random >> 32),
                into: &writer)
        }
        statistics.versionNegotiationsSent += 1
    }

    private func retry(_ header: LongHeader, _ arrival: DatagramArrival) {
        let source = environment.makeConnectionID(at: arrival.now)
        let token = environment.addressValidation!.retryToken(
            originalDestination: header.destinationID, retrySource: source, remote: arrival.remote,
            unixTime: environment.unixTime(at: arrival.now), using: &environment.random)
        let size = RetryPacket.encodedSize(
            destinationID: header.sourceID, sourceID: source, tokenLength: token.count)
        let random = UInt8(truncatingIfNeeded: environment.random.next())
        reply(to: arrival, size: size) { writer in
            RetryPacket.encode(
                version: header.version, destinationID: header.sourceID, sourceID: source, token: token,
                random: random, into: &writer)
            let tag = RetryIntegrity.tag(
                packet: UnsafeRawBufferPointer(writer.written), originalDestination: header.destinationID,
                version: header.version)
            if let tag { writer.writeBytes(tag) }
        }
        statistics.retriesSent += 1
    }

    /// Says in an Initial packet why there will be no connection (RFC 9000 section 5.2.2).
    private func refuse(_ header: LongHeader, _ code: TransportErrorCode, _ arrival: DatagramArrival) {
        statistics.refused += 1
        let keys = DirectionKeys(
            secret: InitialSecrets(destinationConnectionID: header.destinationID, version: header.version)
                .server,
            version: header.version)
        reply(to: arrival, size: 128) { writer in
            let layout = LongHeader.encode(
                .initial, version: header.version, destinationID: header.sourceID,
                sourceID: header.destinationID, packetNumber: 0, packetNumberLength: 1, into: &writer)
            var packet = PacketBuilder(level: .initial, number: 0, layout: layout, writer: writer)
            packet.write(
                .connectionClose(
                    ConnectionCloseFrame(
                        isApplication: false, errorCode: code.rawValue, frameType: 0,
                        reason: UnsafeRawBufferPointer(start: nil, count: 0))))
            _ = packet.seal(keys.packet)
            packet.applyHeaderProtection(keys.header)
            writer = packet.writer
        }
    }

    func reply(to arrival: DatagramArrival, size: Int, _ write: (inout ByteWriter) -> Void) {
        guard replies.count < StatelessReply.capacity else { return drop() }
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(buffer))
            write(&writer)
            count = writer.count
        }
        replies.append(StatelessReply(bytes: bytes, remote: arrival.remote, local: arrival.local))
    }

    func nextReply(into buffer: UnsafeMutableRawBufferPointer) -> Transmission? {
        guard let reply = replies.first else { return nil }
        replies.removeFirst()
        guard reply.bytes.count <= buffer.count else { return nil }
        buffer.copyBytes(from: reply.bytes)
        return Transmission(
            count: reply.bytes.count, segmentSize: reply.bytes.count, remote: reply.remote,
            local: reply.local,
            ecn: .notECT)
    }
}

/// A datagram that answers one which belongs to no connection.
struct StatelessReply {
    /// How many may wait; a flood beyond is not answered.
    static let capacity = 1024

    var bytes: [UInt8]
    var remote: NetworkAddress
    var local: NetworkAddress
}
