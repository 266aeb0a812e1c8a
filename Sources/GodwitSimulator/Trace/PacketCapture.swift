import GodwitWire

/// Writes what it sees as a pcap file, so that a run opens in Wireshark.
///
/// The packets are raw IP and UDP (LINKTYPE_RAW, 101) with valid checksums; their times are the network's,
/// with nanoseconds, counted from an epoch that you choose.
///
/// ```swift
/// let capture = PacketCapture(.host(client))
/// network.addObserver(capture)
/// network.run(for: .seconds(10))
/// try Data(capture.file).write(to: URL(filePath: "run.pcap"))
/// ```
public final class PacketCapture: SimulationObserver {
    /// Where packets are seen.
    public enum Point: Hashable, Sendable {
        /// At a host: what it sends and what it is given.
        case host(HostID)
        /// Everywhere: every datagram once, as its sender (or an attacker) sends it, lost ones included.
        case senders
    }

    /// The file so far.
    public private(set) var file: [UInt8]
    private let point: Point
    private let epoch: UInt32
    private var nextIdentification: UInt16 = 0

    /// A capture without packets.
    ///
    /// - Parameters:
    ///   - point: where packets are seen.
    ///   - epoch: the Unix time, in seconds, that the network's time 0 is shown as.
    public init(_ point: Point, epoch: UInt32 = 0) {
        self.point = point
        self.epoch = epoch
        file = []
        for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 65_535, 101] as [UInt32] { appendLittleEndian(word) }
    }

    /// Writes the datagram if it is seen here.
    public func observe(_ event: TraceEvent, payload: UnsafeRawBufferPointer) {
        guard isSeen(event) else { return }
        let isIPv4 = event.destination.isIPv4
        let size = UDPHeader.overhead(isIPv4: isIPv4) + payload.count
        appendRecordHeader(time: event.time, size: size)
        if isIPv4 { appendIPv4Header(event, size: size) } else { appendIPv6Header(event, size: size) }
        appendUDP(event, payload)
    }

    private func isSeen(_ event: TraceEvent) -> Bool {
        switch point {
        case .host(let host): event.place == .host(host) && (event.kind == .sent || event.kind == .delivered)
        case .senders: event.kind == .sent || event.kind == .forged
        }
    }

    private func appendRecordHeader(time: Instant, size: Int) {
        let nanoseconds = max(0, time.nanoseconds)
        appendLittleEndian(epoch &+ UInt32(truncatingIfNeeded: nanoseconds / 1_000_000_000))
        appendLittleEndian(UInt32(nanoseconds % 1_000_000_000))
        appendLittleEndian(UInt32(size))
        appendLittleEndian(UInt32(size))
    }

    private func appendIPv4Header(_ event: TraceEvent, size: Int) {
        let start = file.count
        append(0x4500 | UInt16(event.ecn.rawValue))
        append(UInt16(truncatingIfNeeded: size))
        append(nextIdentification)
        // QUIC forbids fragmentation (RFC 9000 section 14), so the captured packets say the same.
        append(0x4000 as UInt16)
        append(0x4011 as UInt16)
        append(0 as UInt16)
        append(event.source.ip.v4 ?? 0)
        append(event.destination.ip.v4 ?? 0)
        patch(InternetChecksum.of(file[start...]), at: start + 10)
        nextIdentification &+= 1
    }

    private func appendIPv6Header(_ event: TraceEvent, size: Int) {
        append(0x6000_0000 | UInt32(event.ecn.rawValue) << 20)
        append(UInt16(truncatingIfNeeded: size - UDPHeader.ipv6Size))
        append(0x1140 as UInt16)
        for ip in [event.source.ip, event.destination.ip] {
            append(ip.high)
            append(ip.low)
        }
    }

    private func appendUDP(_ event: TraceEvent, _ payload: UnsafeRawBufferPointer) {
        let start = file.count
        let size = UInt16(truncatingIfNeeded: UDPHeader.udpSize + payload.count)
        append(event.source.port)
        append(event.destination.port)
        append(size)
        append(0 as UInt16)
        file.append(contentsOf: payload)
        var checksum = InternetChecksum()
        for ip in [event.source.ip, event.destination.ip] { checksum.add(ip) }
        checksum.add(17 + UInt64(size))
        checksum.add(file[start...])
        // Zero would mean that there is none (RFC 768).
        patch(checksum.value == 0 ? 0xffff : checksum.value, at: start + 6)
    }

    // MARK: Bytes

    private func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { file.append(contentsOf: $0) }
    }

    private func appendLittleEndian(_ value: UInt32) {
        withUnsafeBytes(of: value.littleEndian) { file.append(contentsOf: $0) }
    }

    private func patch(_ value: UInt16, at offset: Int) {
        file[offset] = UInt8(value >> 8)
        file[offset + 1] = UInt8(value & 0xff)
    }
}

/// The checksum of IP and UDP headers (RFC 1071).
struct InternetChecksum {
    private var sum: UInt64 = 0

    static func of(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        var checksum = InternetChecksum()
        checksum.add(bytes)
        return checksum.value
    }

    /// Adds bytes that start at an even offset.
    mutating func add(_ bytes: ArraySlice<UInt8>) {
        var index = bytes.startIndex
        while index + 1 < bytes.endIndex {
            sum += UInt64(bytes[index]) << 8 | UInt64(bytes[index + 1])
            index += 2
        }
        if index < bytes.endIndex { sum += UInt64(bytes[index]) << 8 }
    }

    mutating func add(_ word: UInt64) {
        sum += (word >> 48) + (word >> 32 & 0xffff) + (word >> 16 & 0xffff) + (word & 0xffff)
    }

    /// Adds the four or sixteen bytes of an address.
    mutating func add(_ ip: IPAddress) {
        if let v4 = ip.v4 { return add(UInt64(v4)) }
        add(ip.high)
        add(ip.low)
    }

    var value: UInt16 {
        var folded = sum
        while folded > 0xffff { folded = (folded >> 16) + (folded & 0xffff) }
        return ~UInt16(folded)
    }
}
