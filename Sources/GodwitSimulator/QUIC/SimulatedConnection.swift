public import GodwitCore
public import GodwitWire

/// A connection of an ``EndpointProgram``.
///
/// It names the connection and may be kept for as long as the program; once the connection is over, reads and
/// writes throw and everything else does nothing.
public struct SimulatedConnection {
    private unowned let program: EndpointProgram
    /// The connection's name at its endpoint.
    public let handle: ConnectionHandle

    init(program: EndpointProgram, handle: ConnectionHandle) {
        self.program = program
        self.handle = handle
    }

    /// The connection itself, nil when it is over. It may be another object after every event.
    public var core: Connection? { program.endpoint.connection(handle) }

    /// A number on which both ends agree, for ``StreamDirection`` and ``Observation``.
    public var number: UInt64 { core?.number ?? 0 }

    // MARK: Streams

    /// Opens a stream, nil while the peer's limit does not allow one more.
    public func openStream(_ direction: StreamID.Direction) -> StreamID? { core?.openStream(direction) }

    /// Hands bytes to a stream, and with `fin` ends it behind them.
    ///
    /// - Returns: how many were taken; the rest has to wait for the stream's `writable` event.
    public func write(_ bytes: [UInt8], to stream: StreamID, fin: Bool = false) throws(StreamError) -> Int {
        guard let core else { throw .unknownStream }
        // Typed throws don't pass through closures of rethrowing functions.
        var result = Result<Int, StreamError>.success(0)
        bytes.withUnsafeBytes { bytes in
            result = Result { () throws(StreamError) in try core.write(bytes, to: stream, fin: fin) }
        }
        return try result.get()
    }

    /// Reads all that has come in order on a stream.
    ///
    /// - Returns: the bytes, and whether the end of the stream was reached.
    public func read(from stream: StreamID) throws(StreamError) -> (bytes: [UInt8], isFinished: Bool) {
        var bytes: [UInt8] = []
        let isFinished = try read(from: stream) { bytes += $0 }
        return (bytes, isFinished)
    }

    /// Shows `body` all that has come in order on a stream, piece by piece.
    ///
    /// - Returns: whether the end of the stream was reached.
    public func read(
        from stream: StreamID, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(StreamError) -> Bool {
        guard let core else { throw .unknownStream }
        while true {
            let result = try core.read(from: stream, now: program.now) { view in
                body(view)
                return view.count
            }
            if result.isFinished || result.remaining == 0 { return result.isFinished }
        }
    }

    /// Ends the sending side of a stream abruptly.
    public func reset(_ stream: StreamID, code: UInt64) throws(StreamError) {
        guard let core else { throw .unknownStream }
        try core.reset(stream, code: code)
    }

    /// Asks the peer to end its sending side of a stream.
    public func stopSending(_ stream: StreamID, code: UInt64) throws(StreamError) {
        guard let core else { throw .unknownStream }
        try core.stopSending(stream, code: code)
    }

    // MARK: Datagrams

    /// The largest datagram that fits a packet now, nil when the peer takes none.
    public var maxDatagramSize: Int? { core?.maxDatagramSize }

    /// Queues an unreliable datagram.
    public func sendDatagram(_ bytes: [UInt8]) throws(DatagramError) {
        guard let core else { throw .unsupportedByPeer }
        var result = Result<Void, DatagramError>.success(())
        bytes.withUnsafeBytes { bytes in
            result = Result { () throws(DatagramError) in try core.sendDatagram(bytes) }
        }
        try result.get()
    }

    /// The oldest datagram that came and was not read; nil when there is none.
    public func readDatagram() -> [UInt8]? { core?.readDatagram() }

    // MARK: The connection

    /// Closes with a code of the application's.
    public func close(code: UInt64 = 0, reason: String = "") {
        core?.close(code: code, reason: reason, now: program.now)
    }

    /// Updates the keys as soon as the protocol allows.
    public func updateKeys() { core?.updateKeys() }

    /// Has the peer answer.
    public func ping() { core?.ping() }

    /// Moves a client's connection to another address of its host; false if that is not allowed.
    @discardableResult
    public func migrate(to local: NetworkAddress) -> Bool {
        core?.migrate(toLocal: local, now: program.now) ?? false
    }

    /// How the connection has fared, nil when it is over.
    public var statistics: ConnectionStatistics? { core?.statistics }
}
