import GodwitWire

/// An instruction of the decoder stream (RFC 9204 section 4.4).
enum DecoderInstruction: Equatable {
    case sectionAcknowledgment(stream: UInt64)
    case streamCancellation(stream: UInt64)
    case insertCountIncrement(UInt64)
}

extension ByteReader {
    mutating func readDecoderInstruction() throws(ParseFailure) -> DecoderInstruction {
        guard let first = peekUInt8() else { throw .incomplete }
        switch first >> 6 {
        case 0b00: return .insertCountIncrement(try readPrefixedInteger(mask: 0x3f))
        case 0b01: return .streamCancellation(stream: try readPrefixedInteger(mask: 0x3f))
        default: return .sectionAcknowledgment(stream: try readPrefixedInteger(mask: 0x7f))
        }
    }
}

extension [UInt8] {
    mutating func append(_ instruction: DecoderInstruction) {
        switch instruction {
        case .sectionAcknowledgment(let stream): appendPrefixedInteger(stream, mask: 0x7f, flags: 0x80)
        case .streamCancellation(let stream): appendPrefixedInteger(stream, mask: 0x3f, flags: 0x40)
        case .insertCountIncrement(let increment): appendPrefixedInteger(increment, mask: 0x3f, flags: 0)
        }
    }
}
