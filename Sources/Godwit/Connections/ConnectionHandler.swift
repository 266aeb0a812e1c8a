import GodwitCore
package import GodwitCrypto
package import GodwitWire

/// A protocol of this package that serves a connection itself: it is told what happens there as it happens,
/// on the connection's event loop, with no task in between.
///
/// What it is told of a stream is a change, never a state: that a stream is readable is told once, and again
/// when more has come. A handler must not block, and may call any method of ``ConnectionPort``.
package protocol ConnectionHandler: AnyObject {
    /// The peer opened a stream. Comes before anything else about it, in the order of the ids.
    func streamOpened(_ id: StreamID, isEarly: Bool)
    /// More can be read, or the end of the stream was reached.
    func streamReadable(_ id: StreamID)
    /// There is room again after a write that was not taken whole.
    func streamWritable(_ id: StreamID)
    /// The peer reset the stream: what was not read is gone.
    func streamReset(_ id: StreamID, code: UInt64)
    /// The peer wants no more of the stream; the transport has reset it.
    func streamStopped(_ id: StreamID, code: UInt64)
    /// Everything written up to the end of the stream was acknowledged.
    func streamDelivered(_ id: StreamID)
    /// More streams can be opened after an attempt that failed.
    func streamsAvailable(_ direction: StreamID.Direction)
    /// A datagram can be read.
    func datagramsReadable()
    /// The handshake is complete.
    func handshakeCompleted(_ summary: HandshakeSummary)
    /// The server did not take the early data; the transport sends all of it again.
    func earlyDataRejected()
    /// The server gave something to resume the session with; ``ConnectionPort/takeResumption()`` hands it
    /// out.
    func resumptionAvailable()
    /// What was told last was the last for now: a good moment to send what several events have caused.
    func eventsTold()
    /// The connection is over. Nothing follows, and the connection lets go of its handler.
    func connectionClosed(_ reason: ConnectionCloseReason)
}

extension ConnectionDriver {
    /// Tells a handler of a stream.
    func tell(_ event: StreamEvent, to handler: any ConnectionHandler) {
        switch event {
        case .opened(let id): onOpened(id, for: handler)
        case .readable(let id): handler.streamReadable(id)
        case .writable(let id): handler.streamWritable(id)
        case .resetByPeer(let id, let code): handler.streamReset(id, code: code)
        case .stopSendingByPeer(let id, let code): handler.streamStopped(id, code: code)
        case .finished(let id): handler.streamDelivered(id)
        case .streamsAvailable(let direction): handler.streamsAvailable(direction)
        }
    }

    private func onOpened(_ id: StreamID, for handler: any ConnectionHandler) {
        handler.streamOpened(id, isEarly: !isHandshakeComplete)
    }

    /// Tells a handler of the connection.
    func tell(_ event: ConnectionEvent, to handler: any ConnectionHandler) {
        switch event {
        case .handshakeCompleted(let summary): handler.handshakeCompleted(summary)
        case .earlyDataRejected: handler.earlyDataRejected()
        case .datagramsReadable: handler.datagramsReadable()
        case .resumptionTicket: handler.resumptionAvailable()
        case .closed(let reason): end(handler, reason)
        case .stream, .handshakeConfirmed, .addressToken, .pathChanged: break
        }
    }

    private func end(_ handler: any ConnectionHandler, _ reason: ConnectionCloseReason) {
        self.handler = nil
        handler.connectionClosed(reason)
    }

    /// Gives the connection to a handler and tells it what has happened so far.
    func install(_ handler: any ConnectionHandler) {
        self.handler = handler
        if let summary { handler.handshakeCompleted(summary) }
        while let stream = incoming.popFirst() { hand(stream, to: handler) }
        if !resumptions.isEmpty { handler.resumptionAvailable() }
        handler.datagramsReadable()
        handler.eventsTold()
        if let closeReason { end(handler, closeReason) }
    }

    private func hand(_ stream: StreamDriver, to handler: any ConnectionHandler) {
        streams[stream.id] = nil
        handler.streamOpened(stream.id, isEarly: stream.isEarly)
        if case .failed(.streamStoppedByPeer(let code))? = stream.sendingEnd {
            handler.streamStopped(stream.id, code: code)
        }
        handler.streamReadable(stream.id)
    }
}
