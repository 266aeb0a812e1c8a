public import GodwitWire

// What the transport tells.
extension HTTP3Connection {
    /// The peer opened a stream, and with it all lower ones of its kind. Bytes on a stream open it too.
    ///
    /// - Parameters:
    ///   - id: a stream that the peer initiates; any other is ignored.
    ///   - inEarlyData: whether what came so far came in early data (0-RTT).
    public mutating func streamOpened(_ id: StreamID, inEarlyData: Bool = false) {
        guard !isClosed, id.initiator == role.peer else { return }
        if id.direction == .bidirectional {
            openRequest(id, inEarlyData: inEarlyData)
        } else {
            openPeerStream(id)
        }
    }

    /// Bytes have come on a stream, in order.
    ///
    /// - Parameters:
    ///   - bytes: what has come; they need not be kept once the actions were taken.
    ///   - id: a stream that the peer sends on.
    ///   - fin: whether the stream ends behind these bytes. It can also be told later, with no bytes.
    /// - Returns: how many bytes were consumed. Fewer than given means that the stream waits for others, or
    ///   that so many tiny frames came that their actions should be taken first: keep the rest (`fin` too)
    ///   until ``HTTP3Action/resume(_:)`` and give it again.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer, on id: StreamID, fin: Bool) -> Int {
        guard !isClosed else { return bytes.count }
        if id.direction == .bidirectional { return receiveOnRequestStream(bytes, id, fin: fin) }
        if id.initiator == role.peer { receiveOnPeerStream(bytes, id, fin: fin) }
        return bytes.count
    }

    /// The peer reset a stream that it sends on.
    ///
    /// - Parameters:
    ///   - id: the stream.
    ///   - code: the application error code of RESET_STREAM.
    public mutating func receiveReset(of id: StreamID, code: UInt64) {
        guard !isClosed else { return }
        if id.direction == .bidirectional {
            resetRequest(id, HTTP3ErrorCode(rawValue: code))
        } else if id.initiator == role.peer {
            closePeerStream(id)
        }
    }

    /// The peer asked us to stop sending on a stream.
    ///
    /// - Parameters:
    ///   - id: the stream, on which the transport sends no more.
    ///   - code: the application error code of STOP_SENDING.
    public mutating func receiveStopSending(of id: StreamID, code: UInt64) {
        guard !isClosed else { return }
        guard id.direction == .unidirectional else {
            return stopRequest(id, HTTP3ErrorCode(rawValue: code))
        }
        // RFC 9114 section 6.2.1, RFC 9204 section 4.2
        if outgoing.isCritical(id) {
            return close(HTTP3Error(.closedCriticalStream, "STOP_SENDING for stream \(id), which we need"))
        }
        outgoing.stop(id)
    }

    /// The server did not take early data, or none was offered: what was remembered no longer counts (RFC 9114
    /// section 7.2.4.2).
    public mutating func earlyDataRejected() {
        rememberedSettings = nil
        if !hasPeerSettings { peerSettings = HTTP3Settings() }
    }
}
