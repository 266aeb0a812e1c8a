public import GodwitWire

// What the application does with a connection. Everything here is called on the event loop of the endpoint; what
// it causes goes out when the driver next asks the endpoint to transmit.
extension Connection {
    // MARK: Streams

    /// Opens a stream, nil while the peer's limit on streams does not allow one more (RFC 9000 section 4.6);
    /// ``StreamEvent`` tells when it does.
    public func openStream(_ direction: StreamID.Direction) -> StreamID? {
        guard lifecycle.isOpen else { return nil }
        defer { wake() }
        return streams.open(direction)
    }

    /// Hands bytes to a stream.
    ///
    /// - Parameter fin: whether the stream ends behind these bytes; it does only if all of them were taken.
    /// - Returns: how many bytes were taken. Fewer than given means that the stream's buffer is full until its
    ///   `writable` event.
    public func write(_ bytes: UnsafeRawBufferPointer, to id: StreamID, fin: Bool) throws(StreamError) -> Int
    {
        guard lifecycle.isOpen else { throw .unknownStream }
        defer { wake() }
        return try streams.write(id, bytes, fin: fin)
    }

    /// Reads what has come in order on a stream, as often as `body` wants to be called.
    ///
    /// - Parameter body: gets a view of contiguous bytes and returns how many of them it consumed. Flow-control
    ///   credit grows by what is consumed and by nothing else.
    public func read(
        from id: StreamID, now: Instant, _ body: (UnsafeRawBufferPointer) -> Int
    ) throws(StreamError) -> StreamReadResult {
        defer { wake() }
        return try streams.read(id, now: now, rtt: smoothedRTT, body)
    }

    /// How many bytes a read would find.
    public func readableBytes(of id: StreamID) -> Int { streams.readableBytes(id) }

    /// Ends the sending side of a stream abruptly (RFC 9000 section 2.4).
    public func reset(_ id: StreamID, code: UInt64) throws(StreamError) {
        defer { wake() }
        try streams.reset(id, code: code)
    }

    /// Asks the peer to end its sending side of a stream (RFC 9000 section 2.4).
    public func stopSending(_ id: StreamID, code: UInt64) throws(StreamError) {
        defer { wake() }
        try streams.stopSending(id, code: code)
    }

    /// Says how urgent a stream is compared with the connection's others.
    public func setPriority(_ priority: StreamPriority, of id: StreamID) throws(StreamError) {
        try streams.setPriority(id, priority)
    }

    // MARK: Datagrams

    /// The largest datagram that fits a packet now, nil when the peer takes none (RFC 9221 section 3).
    public var maxDatagramSize: Int? {
        datagrams.maximumSize(inPacketSpace: paths.active.mtu.currentSize - shortHeaderOverhead)
    }

    /// Queues an unreliable datagram (RFC 9221).
    public func sendDatagram(_ bytes: UnsafeRawBufferPointer) throws(DatagramError) {
        guard lifecycle.isOpen else { throw .unsupportedByPeer }
        defer { wake() }
        _ = try datagrams.enqueue(bytes)
    }

    /// The oldest datagram received and not yet read.
    public func readDatagram() -> [UInt8]? { datagrams.read { [UInt8]($0) } }

    // MARK: The connection itself

    /// Closes with a code of the application's (RFC 9000 section 10.2).
    public func close(code: UInt64, reason: String, now: Instant) {
        close(.application(code: code, reason: reason, byPeer: false), now: now)
    }

    /// Updates the 1-RTT keys as soon as the protocol allows (RFC 9001 section 6).
    public func updateKeys() {
        pending.keyUpdate = true
        wake()
    }

    /// Moves a client's connection to another local address (RFC 9000 section 9.2). The move is tried when the
    /// handshake is confirmed; `pathChanged` tells that it has come about.
    ///
    /// - Returns: false when the server forbade it (`disable_active_migration`) or the connection is a server's.
    public func migrate(toLocal local: NetworkAddress, now: Instant) -> Bool {
        guard role == .client, lifecycle.isOpen else { return false }
        defer { wake() }
        return startMigration(toLocal: local, now: now)
    }

    /// Sends a PING, so that the peer answers and middleboxes remember.
    public func ping() {
        pending.ping = true
        wake()
    }
}
