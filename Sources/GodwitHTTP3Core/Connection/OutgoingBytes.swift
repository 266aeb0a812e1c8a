import GodwitWire

/// What waits to be sent on our own unidirectional streams.
struct OutgoingBytes: Hashable, Sendable, Codable {
    /// Nil until the transport has opened them.
    private(set) var streams: OwnStreams?
    var control: [UInt8] = []
    var encoder: [UInt8] = []
    var decoder: [UInt8] = []
    private var reserved: [UInt8] = []
    /// How many of the control stream's first bytes, up to the end of SETTINGS, the transport has not taken.
    private var unsentSettings = 0

    /// Whether the transport has our SETTINGS.
    var hasSentSettings: Bool { streams != nil && unsentSettings == 0 }
    var isEmpty: Bool { control.isEmpty && encoder.isEmpty && decoder.isEmpty && reserved.isEmpty }

    /// Puts the type of each stream before what waits, and SETTINGS before all else on the control stream
    /// (RFC 9114 section 6.2.1).
    mutating func start(_ streams: OwnStreams, _ settings: HTTP3Settings, grease: Grease?) {
        guard self.streams == nil else { return }
        self.streams = streams
        var grease = grease
        let waiting = control
        control = []
        control.appendVarint(StreamType.control)
        settings.appendFrame(to: &control, grease: &grease)
        unsentSettings = control.count
        if let type = grease?.next() { control.appendReservedFrame(type) }
        control += waiting
        encoder.insert(UInt8(StreamType.encoder), at: 0)
        decoder.insert(UInt8(StreamType.decoder), at: 0)
        if streams.reserved != nil, let type = grease?.next() { reserved.appendVarint(type) }
    }

    /// Whether the connection needs a stream of ours.
    func isCritical(_ id: StreamID) -> Bool {
        guard let streams else { return false }
        return id == streams.control || id == streams.encoder || id == streams.decoder
    }

    /// The peer wants nothing of a stream that is not critical.
    mutating func stop(_ id: StreamID) {
        if id == streams?.reserved { reserved = [] }
    }

    /// Hands out what waits; `write` returns how much was taken.
    mutating func write(_ write: (StreamID, UnsafeRawBufferPointer, Bool) -> Int) {
        guard let streams else { return }
        let waiting = control.count
        Self.flush(&control) { write(streams.control, $0, false) }
        unsentSettings = max(0, unsentSettings - (waiting - control.count))
        Self.flush(&encoder) { write(streams.encoder, $0, false) }
        Self.flush(&decoder) { write(streams.decoder, $0, false) }
        if let id = streams.reserved { Self.flush(&reserved) { write(id, $0, true) } }
    }

    private static func flush(_ bytes: inout [UInt8], _ write: (UnsafeRawBufferPointer) -> Int) {
        guard !bytes.isEmpty else { return }
        let taken = bytes.withUnsafeBytes { write($0) }
        if taken >= bytes.count {
            bytes.removeAll(keepingCapacity: true)
        } else {
            bytes.removeFirst(max(0, taken))
        }
    }
}

extension [UInt8] {
    /// Appends a frame without meaning (RFC 9114 section 7.2.8), a few bytes long.
    fileprivate mutating func appendReservedFrame(_ type: UInt64) {
        appendFrameHeader(FrameType(rawValue: type), length: Int(type & 0x7))
        append(contentsOf: repeatElement(0, count: Int(type & 0x7)))
    }
}
