import GodwitWire

extension HTTP3Connection {
    /// A QUIC datagram has come (RFC 9221). What does not belong to an open tunnel is dropped, as datagrams
    /// may be.
    public mutating func receiveDatagram(_ bytes: UnsafeRawBufferPointer) {
        guard !isClosed else { return }
        guard configuration.areDatagramsEnabled else {
            return close(HTTP3Error(.datagramError, "datagram although we do not take any"))
        }
        var reader = ByteReader(bytes)
        // RFC 9297 section 2.1
        guard let quarter = reader.readVarint() else {
            return close(HTTP3Error(.datagramError, "datagram that ends within its stream id"))
        }
        guard quarter < StreamID.maxCount else {
            return close(HTTP3Error(.datagramError, "datagram for a stream that there can't be"))
        }
        let id = StreamID(index: quarter, direction: .bidirectional, initiator: .client)
        deliverDatagram(bytes.count - reader.remaining..<bytes.count, id)
    }

    private mutating func deliverDatagram(_ range: Range<Int>, _ id: StreamID) {
        guard let slot = requests.slot(of: id), requests[slot].isKnown, requests[slot].receiving != .ended
        else { return }
        // RFC 9297 section 2: other requests, plain CONNECT among them, give a datagram no meaning.
        guard requests[slot].isExtendedConnect else {
            return fail(
                slot, .stream(.datagramError, "datagram for stream \(id), which is no extended CONNECT"))
        }
        actions.append(.datagram(id, range))
    }
}
