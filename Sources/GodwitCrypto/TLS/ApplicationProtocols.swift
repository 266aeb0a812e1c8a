/// Names of application protocols in order of preference, in the form that ALPN has them (RFC 7301 section
/// 3.1).
struct ApplicationProtocols: Sendable {
    /// Each name behind its length.
    let list: [UInt8]

    private let names: [[UInt8]]

    init(_ names: [String]) throws(TLSConfigurationError) {
        self.names = names.map { Array($0.utf8) }
        guard !names.isEmpty else {
            throw TLSConfigurationError(
                source: "application protocols", problem: "there are none, and QUIC needs one")
        }
        if let bad = names.first(where: { !(1...255).contains($0.utf8.count) }) {
            throw TLSConfigurationError(
                source: "application protocols", problem: "a name has 1 to 255 bytes, '\(bad)' has not")
        }
        list = self.names.flatMap { [UInt8($0.count)] + $0 }
        guard list.count <= 0xffff else {
            throw TLSConfigurationError(source: "application protocols", problem: "there are too many")
        }
    }

    /// Where in a client's list the first of our names stands that is in it.
    func choose(from offered: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        for name in names {
            var index = 0
            while index < offered.count {
                let start = index + 1
                let end = start + Int(offered[index])
                guard end <= offered.count else { return nil }
                if offered[start..<end].elementsEqual(name) { return start..<end }
                index = end
            }
        }
        return nil
    }
}
