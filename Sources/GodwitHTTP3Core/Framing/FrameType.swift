/// A type of frame (RFC 9114 section 7.2, RFC 9218 section 7.2).
struct FrameType: RawRepresentable, Hashable, Sendable, Codable {
    var rawValue: UInt64

    static let data = FrameType(rawValue: 0x00)
    static let headers = FrameType(rawValue: 0x01)
    static let cancelPush = FrameType(rawValue: 0x03)
    static let settings = FrameType(rawValue: 0x04)
    static let pushPromise = FrameType(rawValue: 0x05)
    static let goaway = FrameType(rawValue: 0x07)
    static let maxPushID = FrameType(rawValue: 0x0d)
    static let requestPriorityUpdate = FrameType(rawValue: 0xf0700)
    static let pushPriorityUpdate = FrameType(rawValue: 0xf0701)

    /// What a receiver makes of a frame of this type, wherever it comes.
    enum Meaning: UInt8 {
        case data
        case headers
        case pushPromise
        /// Belongs on the control stream and nowhere else.
        case control
        /// A type of HTTP/2 without a counterpart: always an error (RFC 9114 section 7.2.8).
        case forbidden
        /// Reserved or of an extension that we don't know: skipped (RFC 9114 section 9).
        case unknown
    }

    var meaning: Meaning {
        switch rawValue {
        case 0x00: .data
        case 0x01: .headers
        case 0x05: .pushPromise
        case 0x03, 0x04, 0x07, 0x0d, 0xf0700, 0xf0701: .control
        case 0x02, 0x06, 0x08, 0x09: .forbidden
        default: .unknown
        }
    }
}

extension FrameType: CustomStringConvertible {
    var description: String {
        switch self {
        case .data: "DATA"
        case .headers: "HEADERS"
        case .cancelPush: "CANCEL_PUSH"
        case .settings: "SETTINGS"
        case .pushPromise: "PUSH_PROMISE"
        case .goaway: "GOAWAY"
        case .maxPushID: "MAX_PUSH_ID"
        case .requestPriorityUpdate, .pushPriorityUpdate: "PRIORITY_UPDATE"
        default: "0x" + String(rawValue, radix: 16)
        }
    }
}
