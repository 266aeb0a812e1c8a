import GodwitQPACK
import GodwitWire

/// Makes field sections of bytes: a byte chooses a name, and a byte a value or the length of one that follows, and
/// whether the line may be indexed.
enum FuzzedSections {
    /// Names of the static table, names that are secret, names that only the dynamic table can know, those that the
    /// rules of HTTP/3 are about, and some that are none.
    private static let names = [
        "content-type", "etag", "cache-control", "server", "vary", "location", "cookie", "set-cookie",
        "authorization", "x-trace", "x-longer-name-that-repeats", "content-length", "te", "date", "X-Upper",
        "", ":method", ":scheme", ":authority", ":path", ":protocol", ":status", ":other", "host",
        "connection", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection", "priority", "a b",
        "x\r\ny",
    ]

    private static let values = [
        "GET", "https", "fuzz.test", "/", "200", "CONNECT", "trailers", "4", "websocket", "103", "*",
        "OPTIONS", "HEAD", "u=1, i", " x", "a\r\nb: c", "fuzz.test:443", "chunked", "204", "user@fuzz.test",
        "/a?b#c", "0", "304", "101", "+4", "4, 4", "", "close", "\u{7f}", "other.test", "POST", "u=9",
    ]

    static func append(_ bytes: some Sequence<UInt8>, to section: inout FieldSection) {
        var rest = ArraySlice(bytes)
        while let choice = rest.popFirst() {
            let shape = rest.popFirst() ?? 0
            let value = shape & 0x80 == 0 ? take(Int(shape & 0x3f), of: &rest, choice) : known(shape)
            section.append(name: name(choice), value: value, neverIndexed: shape & 0x40 != 0)
        }
    }

    private static func name(_ choice: UInt8) -> [UInt8] {
        choice & 0x20 == 0 ? [UInt8](names[Int(choice & 0x1f)].utf8) : [0x78, choice]
    }

    private static func known(_ shape: UInt8) -> [UInt8] { [UInt8](values[Int(shape & 0x1f)].utf8) }

    /// Bytes that follow, some of them repeated so that a short input has long values.
    private static func take(_ count: Int, of rest: inout ArraySlice<UInt8>, _ choice: UInt8) -> [UInt8] {
        let value = [UInt8](rest.prefix(count))
        rest = rest.dropFirst(count)
        return choice & 0xc0 == 0xc0 ? [UInt8](repeatElement(value, count: 16).joined()) : value
    }

    static func section(_ bytes: some Sequence<UInt8>) -> FieldSection {
        var section = FieldSection()
        append(bytes, to: &section)
        return section
    }
}
