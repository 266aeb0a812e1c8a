import GodwitWire

// What we may send on a request stream, and when (RFC 9114 section 4.1). Every check comes before the first
// change.
extension RequestStream {
    /// A client's header section goes out.
    mutating func beginRequest(_ control: RequestControl, fin: Bool) throws(HTTP3SendError) {
        guard !fin || control.contentLength ?? 0 == 0 else { throw .contentLengthMismatch }
        method = control.method
        isExtendedConnect = control.isExtendedConnect
        beginContent(control.contentLength, fin: fin)
    }

    /// A server's final header section goes out.
    mutating func beginResponse(status: Int, contentLength: UInt64?, fin: Bool) throws(HTTP3SendError) {
        try checkResponse()
        let opensTunnel = method == .connect && 200...299 ~= status
        // RFC 9110 section 8.6
        guard contentLength == nil || !(opensTunnel || status == 204) else {
            throw .malformed(field: "content-length", reason: "in a response that never has content")
        }
        let length = isWithoutContent(status) ? 0 : contentLength
        guard !fin || length ?? 0 == 0 else { throw .contentLengthMismatch }
        isTunnel = opensTunnel
        beginContent(length, fin: fin)
    }

    /// An interim response may go out: as often as wanted, before the final one (RFC 9114 section 4.1).
    func checkResponse() throws(HTTP3SendError) {
        guard sending != .ended else { throw .sendingEnded }
        guard sending == .head, isKnown else { throw .outOfOrder }
    }

    /// Whether a response with that status has no content, whatever its fields say (RFC 9110 section 6.4.1).
    func isWithoutContent(_ status: Int) -> Bool {
        method == .head || status == 204 || status == 205 || status == 304
    }

    private mutating func beginContent(_ length: UInt64?, fin: Bool) {
        unsentContent = length
        sending = fin ? .ended : .content
    }

    /// A DATA frame of that length goes out.
    mutating func sendContent(_ length: Int, fin: Bool) throws(HTTP3SendError) {
        try checkContent()
        if let unsent = unsentContent {
            guard let rest = Self.rest(unsent, length), !fin || rest == 0 else {
                throw .contentLengthMismatch
            }
            unsentContent = rest
        }
        if fin { sending = .ended }
    }

    private static func rest(_ unsent: UInt64, _ length: Int) -> UInt64? {
        UInt64(length) <= unsent ? unsent - UInt64(length) : nil
    }

    /// A trailer section goes out, and the message ends.
    func checkTrailers() throws(HTTP3SendError) {
        try checkContent()
        // RFC 9114 section 4.4
        guard !isTunnel, role == .server || method != .connect else { throw .outOfOrder }
        guard unsentContent ?? 0 == 0 else { throw .contentLengthMismatch }
    }

    private func checkContent() throws(HTTP3SendError) {
        guard sending != .ended else { throw .sendingEnded }
        guard sending == .content else { throw .outOfOrder }
    }
}
