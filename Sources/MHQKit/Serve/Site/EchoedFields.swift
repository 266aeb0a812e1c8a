import HTTPTypes

/// The fields of an answer that repeats the request.
enum EchoedFields {
    /// What is repeated at most, in bytes: a client need not take much more than it sends.
    private static let limit = 4096

    /// Content-Type and Content-Length as they are, the others behind `x-echo-`.
    static func make(of fields: HTTPFields) -> HTTPFields {
        var echoed: HTTPFields = [:]
        var left = limit
        for field in fields {
            if field.name == .contentType || field.name == .contentLength {
                echoed.append(field)
                continue
            }
            left -= field.name.rawName.utf8.count + field.value.utf8.count
            guard left >= 0, let name = HTTPField.Name("x-echo-" + field.name.canonicalName) else { continue }
            echoed.append(HTTPField(name: name, value: field.value))
        }
        return echoed
    }
}
