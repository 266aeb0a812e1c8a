import GodwitHTTP3Core
import GodwitQPACK
public import HTTPTypes

// Between field sections, as they go over the wire, and the types of HTTPTypes.

extension HTTPFields {
    /// The lines of a section from one on.
    init(_ section: FieldSection, from first: Int = 0) {
        self.init()
        let end = Swift.min(section.count, first + Self.largestCount)
        guard first < end else { return }
        reserveCapacity(end - first)
        for index in first..<end {
            section.withUnsafeLine(at: index) { line in
                // The machine lets no malformed name through, but for other implementations of the rule.
                guard let name = HTTPField.Name(parsed: String(decoding: line.name, as: UTF8.self)) else {
                    return
                }
                var field = HTTPField(name: name, value: line.value.bindMemory(to: UInt8.self))
                if line.isNeverIndexed { field.indexingStrategy = .disallow }
                append(field)
            }
        }
    }

    /// How many fields HTTPTypes takes; one more is a trap.
    static let largestCount = Int(UInt16.max) - 1
}

extension FieldSection {
    /// Appends all fields.
    mutating func append(_ fields: HTTPFields) {
        for field in fields { append(field) }
    }

    /// Appends a field; its name in lowercase (RFC 9114 section 4.2).
    mutating func append(_ field: HTTPField) {
        let isSensitive = field.indexingStrategy == .disallow
        var name = field.name.canonicalName
        name.withUTF8 { name in
            field.withUnsafeBytesOfValue { value in
                append(
                    name: UnsafeRawBufferPointer(name), value: UnsafeRawBufferPointer(value),
                    neverIndexed: isSensitive)
            }
        }
    }

    func text(at line: Int) -> String {
        withUnsafeLine(at: line) { String(decoding: $0.value, as: UTF8.self) }
    }
}

extension HTTPRequest {
    /// The request that a head describes.
    init(_ head: borrowing RequestHead) {
        let fields = head.fields
        let authority = head.authorityLine ?? fields.firstIndex { $0.nameIs("host") }
        self.init(
            method: Self.method(head), scheme: head.schemeLine.map { fields.text(at: $0) },
            authority: authority.map { fields.text(at: $0) }, path: head.pathLine.map { fields.text(at: $0) },
            headerFields: HTTPFields(fields, from: head.pseudoHeaderCount))
        if let line = head.protocolLine { extendedConnectProtocol = fields.text(at: line) }
    }

    private static func method(_ head: borrowing RequestHead) -> Method {
        switch head.method {
        case .get: .get
        case .head: .head
        case .post: .post
        case .put: .put
        case .delete: .delete
        case .connect: .connect
        case .options: .options
        case .trace: .trace
        case .patch: .patch
        // The machine lets no method through that is no token (RFC 9110 section 9.1).
        case .other: Method(head.fields.text(at: head.methodLine)) ?? .trace
        }
    }
}

extension HTTPResponse {
    /// The response that a head describes.
    init(_ head: borrowing ResponseHead) {
        self.init(status: .init(code: head.status), headerFields: HTTPFields(head.fields, from: 1))
    }
}

extension FieldSection {
    /// Begins a request (RFC 9114 section 4.3.1).
    mutating func begin(_ request: HTTPRequest) {
        append(name: ":method", value: request.method.rawValue)
        if let scheme = request.scheme { append(name: ":scheme", value: scheme) }
        if let authority = request.authority { append(name: ":authority", value: authority) }
        if let path = request.path { append(name: ":path", value: path) }
        if let name = request.extendedConnectProtocol { append(name: ":protocol", value: name) }
    }

    /// Begins a response (RFC 9114 section 4.3.2).
    mutating func begin(status: Int) {
        if status == 200 { return append(name: ":status", value: "200" as StaticString) }
        append(name: ":status", value: String(status))
    }
}

extension HTTPRequest {
    /// Whether this is an extended CONNECT (RFC 9220): the stream is a tunnel for the protocol that
    /// `extendedConnectProtocol` names.
    public var isExtendedConnect: Bool { method == .connect && extendedConnectProtocol != nil }
}
