import Foundation

/// JSON with the comments that the thesis's configuration files have.
enum CommentedJSON {
    /// Takes comments out, `/* … */` and `// …`, and leaves lines where they are, so that what a parser says of
    /// them is right.
    static func stripped(_ text: String) -> String {
        var bytes = ArraySlice(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        while let byte = bytes.popFirst() {
            switch (byte, bytes.first) {
            case (UInt8(ascii: "\""), _):
                result.append(byte)
                takeText(&bytes, &result)
            case (UInt8(ascii: "/"), UInt8(ascii: "*")): dropBlock(&bytes, &result)
            case (UInt8(ascii: "/"), UInt8(ascii: "/")): dropLine(&bytes)
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A text may hold what looks like a comment.
    private static func takeText(_ bytes: inout ArraySlice<UInt8>, _ result: inout [UInt8]) {
        while let byte = bytes.popFirst() {
            result.append(byte)
            if byte == UInt8(ascii: "\\"), let escaped = bytes.popFirst() { result.append(escaped) }
            if byte == UInt8(ascii: "\"") { return }
        }
    }

    private static func dropBlock(_ bytes: inout ArraySlice<UInt8>, _ result: inout [UInt8]) {
        bytes.removeFirst()
        result.append(UInt8(ascii: " "))
        while let byte = bytes.popFirst() {
            if byte == UInt8(ascii: "\n") { result.append(byte) }
            if byte == UInt8(ascii: "*"), bytes.first == UInt8(ascii: "/") {
                bytes.removeFirst()
                return
            }
        }
    }

    private static func dropLine(_ bytes: inout ArraySlice<UInt8>) {
        while let next = bytes.first, next != UInt8(ascii: "\n") { bytes.removeFirst() }
    }

    /// The members of the object that a text is.
    ///
    /// - Throws: what is wrong, in words on one line.
    static func members(of text: String) throws(Problem) -> [String: JSONValue] {
        let data = Data(stripped(text).utf8)
        do {
            return try JSONDecoder().decode([String: JSONValue].self, from: data)
        } catch DecodingError.typeMismatch {
            throw Problem(text: "is no JSON object")
        } catch DecodingError.dataCorrupted(let context) {
            throw Problem(text: "is not JSON" + place(context))
        } catch {
            throw Problem(text: "is not JSON")
        }
    }

    private static func place(_ context: DecodingError.Context) -> String {
        guard let error = context.underlyingError as NSError?,
            let text = error.userInfo[NSDebugDescriptionErrorKey] as? String
        else { return "" }
        return ": " + text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    struct Problem: Error { var text: String }
}

/// For other rooms whose files have comments too.
package enum ConfigurationText {
    /// Takes comments out and leaves lines where they are.
    package static func withoutComments(_ text: String) -> String { CommentedJSON.stripped(text) }
}
