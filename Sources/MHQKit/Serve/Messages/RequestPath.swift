/// Where a request's target leads below the folder that is served.
///
/// It can't lead anywhere else: `..`, a slash or a NUL in disguise are refused here. What symbolic links do
/// is seen when the file is opened.
struct RequestPath: Hashable, Sendable {
    /// What is wrong with a target.
    enum Refusal: Error, Hashable {
        /// It is no path, or one that nobody asks for in good faith.
        case malformed
        /// Nothing of that name is served.
        case notFound
    }

    /// The names on the way, joined by slashes; empty for the folder itself.
    private(set) var bytes: [UInt8] = []
    /// Whether it ends in a slash, as the paths of folders do.
    private(set) var isFolder = true

    /// The path in a target, as `/a/b%20c?query`. Empty names and `.` are left out (RFC 3986 section 5.2.4).
    ///
    /// Names that begin with a dot are not served, for they are mostly not meant to be, but for `.well-known`
    /// (RFC 8615).
    init(target: some StringProtocol) throws(Refusal) {
        var raw = Array(target.utf8)
        if let query = raw.firstIndex(of: UInt8(ascii: "?")) { raw.removeSubrange(query...) }
        guard raw.first == UInt8(ascii: "/"), !raw.contains(UInt8(ascii: "#")) else { throw .malformed }
        for name in raw.split(separator: UInt8(ascii: "/")) { try append(try Self.decoded(name)) }
        isFolder = raw.last == UInt8(ascii: "/") || bytes.isEmpty
        guard bytes.count < Self.longestPath else { throw .notFound }
    }

    /// The path of something in this folder.
    func appending(_ name: StaticString) -> RequestPath {
        var path = self
        if !path.bytes.isEmpty { path.bytes.append(UInt8(ascii: "/")) }
        name.withUTF8Buffer { path.bytes.append(contentsOf: $0) }
        path.isFolder = false
        return path
    }

    /// The last name, by which the kind of content is known.
    var name: ArraySlice<UInt8> {
        let start = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return bytes[start...]
    }

    private static let longestName = 255
    private static let longestPath = 4096
    private static let wellKnown = Array(".well-known".utf8)

    private mutating func append(_ name: [UInt8]) throws(Refusal) {
        if name == [UInt8(ascii: ".")] { return }
        guard name != Array("..".utf8), !name.contains(0) else { throw .malformed }
        guard !name.contains(UInt8(ascii: "/")), name.count <= Self.longestName else { throw .notFound }
        if name.first == UInt8(ascii: "."), name != Self.wellKnown { throw .notFound }
        if !bytes.isEmpty { bytes.append(UInt8(ascii: "/")) }
        bytes += name
    }

    private static func decoded(_ name: ArraySlice<UInt8>) throws(Refusal) -> [UInt8] {
        guard let decoded = PercentEncoding.decode(name) else { throw .malformed }
        return decoded
    }
}

/// Percent-encoding (RFC 3986 section 2.1).
enum PercentEncoding {
    /// The bytes that the text stands for; nil if a `%` is not followed by two digits.
    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.contains(UInt8(ascii: "%")) else { return Array(text) }
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The text for a byte.
    static func encode(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count == 1 ? "%0" + digits : "%" + digits
    }
}
