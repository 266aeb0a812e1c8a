import GodwitWire

/// A JSON text of one object in the making, framed as a record of a JSON text sequence (RFC 7464).
struct JSONRecord {
    private static let recordSeparator: UInt8 = 0x1e
    private static let digits: StaticString = "0123456789abcdef"
    /// What scripts can read as a number without loss.
    private static let largestExactInteger: UInt64 = 1 << 53 - 1

    private(set) var bytes: [UInt8]
    private var isFirst = true

    init() {
        bytes = [Self.recordSeparator]
        bytes.reserveCapacity(512)
        open("{")
    }

    /// The whole record.
    consuming func finished() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    // MARK: Structure

    mutating func object(_ name: StaticString, _ fill: (inout JSONRecord) -> Void) {
        begin(name)
        nest("{", "}", fill)
    }

    mutating func array(_ name: StaticString, _ fill: (inout JSONRecord) -> Void) {
        begin(name)
        nest("[", "]", fill)
    }

    /// An element of an array.
    mutating func object(_ fill: (inout JSONRecord) -> Void) {
        separate()
        nest("{", "}", fill)
    }

    /// An element of an array.
    mutating func array(_ fill: (inout JSONRecord) -> Void) {
        separate()
        nest("[", "]", fill)
    }

    private mutating func nest(
        _ start: StaticString, _ end: Unicode.Scalar, _ fill: (inout JSONRecord) -> Void
    ) {
        open(start)
        fill(&self)
        bytes.append(UInt8(ascii: end))
        isFirst = false
    }

    private mutating func open(_ start: StaticString) {
        append(start)
        isFirst = true
    }

    private mutating func separate() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    private mutating func begin(_ name: StaticString) {
        separate()
        quote { $0.append(name) }
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func quote(_ fill: (inout JSONRecord) -> Void) {
        bytes.append(UInt8(ascii: "\""))
        fill(&self)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    // MARK: Values

    mutating func field(_ name: StaticString, _ value: StaticString) {
        begin(name)
        quote { $0.append(value) }
    }

    mutating func field(_ name: StaticString, text: String) {
        begin(name)
        quote { $0.appendEscaped(text) }
    }

    mutating func field(_ name: StaticString, _ value: Bool) {
        begin(name)
        append(value ? "true" : "false")
    }

    mutating func field(_ name: StaticString, _ value: UInt64) {
        begin(name)
        appendNumber(value)
    }

    mutating func field(_ name: StaticString, _ value: Int) { field(name, UInt64(clamping: value)) }

    mutating func field(_ name: StaticString, hex value: some Sequence<UInt8>) {
        begin(name)
        quote { $0.appendHex(value) }
    }

    mutating func field(_ name: StaticString, milliseconds value: TimeSpan) {
        begin(name)
        appendMilliseconds(value)
    }

    /// An element of an array.
    mutating func element(_ value: UInt64) {
        separate()
        appendNumber(value)
    }

    /// An element of an array.
    mutating func element(hex value: some Sequence<UInt8>) {
        separate()
        quote { $0.appendHex(value) }
    }

    /// An element of an array.
    mutating func element(_ value: StaticString) {
        separate()
        quote { $0.append(value) }
    }

    private mutating func appendNumber(_ value: UInt64) {
        // The draft allows strings for what JavaScript would round (RFC 7493 section 2.2).
        guard value <= Self.largestExactInteger else { return quote { $0.appendDigits(value) } }
        appendDigits(value)
    }

    private mutating func appendDigits(_ value: UInt64) {
        if value >= 10 { appendDigits(value / 10) }
        bytes.append(UInt8(ascii: "0") + UInt8(value % 10))
    }

    /// With a resolution of a microsecond.
    private mutating func appendMilliseconds(_ span: TimeSpan) {
        let microseconds = UInt64(clamping: span.nanoseconds / 1000)
        appendDigits(microseconds / 1000)
        let fraction = microseconds % 1000
        guard fraction > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        for divisor in [100, 10, 1] as [UInt64] {
            bytes.append(UInt8(ascii: "0") + UInt8(fraction / divisor % 10))
        }
    }

    private mutating func appendHex(_ value: some Sequence<UInt8>) {
        for byte in value {
            bytes.append(Self.digits.utf8Start[Int(byte >> 4)])
            bytes.append(Self.digits.utf8Start[Int(byte & 15)])
        }
    }

    /// Text may come from the peer (RFC 8259 section 7 says what has to be escaped).
    private mutating func appendEscaped(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case ..<0x20:
                append("\\u00")
                appendHex(CollectionOfOne(byte))
            default: bytes.append(byte)
            }
        }
    }
}
