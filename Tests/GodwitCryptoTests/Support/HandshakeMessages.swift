/// A flight of handshake messages (RFC 8446 section 4), to look into and to tamper with.
struct HandshakeMessages {
    private var messages: [(type: UInt8, body: [UInt8])] = []

    init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while rest.count >= 4 {
            let type = rest.removeFirst()
            let length = Self.take(3, &rest)
            messages.append((type, Array(rest.prefix(length))))
            rest = rest.dropFirst(length)
        }
    }

    var bytes: [UInt8] {
        messages.flatMap { [$0.type] + Self.integer($0.body.count, 3) + $0.body }
    }

    /// The types of the messages, in their order.
    var types: [UInt8] { messages.map(\.type) }

    // MARK: The ClientHello, as the first message

    private static let sessionIDAt = 34

    var sessionIDLength: Int { Int(messages[0].body[Self.sessionIDAt]) }

    var suites: [Int] {
        var rest = messages[0].body[(Self.sessionIDAt + 1 + sessionIDLength)...]
        let count = Self.take(2, &rest) / 2
        return (0..<count).map { _ in Self.take(2, &rest) }
    }

    mutating func insertSessionID(_ id: [UInt8]) {
        messages[0].body.replaceSubrange(Self.sessionIDAt...Self.sessionIDAt, with: [UInt8(id.count)] + id)
    }

    mutating func insertSuites(_ numbers: [Int]) { replaceSuites(with: numbers + suites) }

    mutating func replaceSuites(with numbers: [Int]) {
        let start = Self.sessionIDAt + 1 + sessionIDLength
        messages[0].body.replaceSubrange(
            start..<start + 2 + suites.count * 2,
            with: Self.integer(numbers.count * 2, 2) + numbers.flatMap { Self.integer($0, 2) })
    }

    // MARK: The ServerHello, as the first message

    mutating func replaceChosenSuite(with number: Int) {
        let start = Self.sessionIDAt + 1 + sessionIDLength
        messages[0].body.replaceSubrange(start..<start + 2, with: Self.integer(number, 2))
    }

    // MARK: Extensions

    func extensionData(_ number: Int, inMessage type: UInt8) -> [UInt8]? {
        guard let message = messages.first(where: { $0.type == type }) else { return nil }
        return extensions(of: message).first { $0.number == number }?.data
    }

    mutating func removeExtension(_ number: Int, fromMessage type: UInt8) {
        change(type) { $0.filter { $0.number != number } }
    }

    mutating func replaceExtension(_ number: Int, with data: [UInt8], inMessage type: UInt8) {
        change(type) { $0.map { $0.number == number ? (number, data) : $0 } }
    }

    private typealias Extension = (number: Int, data: [UInt8])

    private mutating func change(_ type: UInt8, _ body: ([Extension]) -> [Extension]) {
        guard let index = messages.firstIndex(where: { $0.type == type }) else { return }
        let changed = body(extensions(of: messages[index]))
        let list = changed.flatMap { Self.integer($0.number, 2) + Self.integer($0.data.count, 2) + $0.data }
        messages[index].body.replaceSubrange(
            extensionsStart(messages[index])..., with: Self.integer(list.count, 2) + list)
    }

    private func extensions(of message: (type: UInt8, body: [UInt8])) -> [Extension] {
        var rest = message.body[extensionsStart(message)...]
        rest = rest.dropFirst(2)
        var found: [Extension] = []
        while rest.count >= 4 {
            let (number, length) = (Self.take(2, &rest), Self.take(2, &rest))
            found.append((number, Array(rest.prefix(length))))
            rest = rest.dropFirst(length)
        }
        return found
    }

    /// EncryptedExtensions hold nothing else; the two Hellos have a few fields before them.
    private func extensionsStart(_ message: (type: UInt8, body: [UInt8])) -> Int {
        switch message.type {
        case 1: Self.sessionIDAt + 1 + sessionIDLength + 2 + suites.count * 2 + 2
        case 2: Self.sessionIDAt + 1 + sessionIDLength + 2 + 1
        default: 0
        }
    }

    private static func take(_ count: Int, _ bytes: inout ArraySlice<UInt8>) -> Int {
        defer { bytes = bytes.dropFirst(count) }
        return bytes.prefix(count).reduce(0) { $0 << 8 | Int($1) }
    }

    private static func integer(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
