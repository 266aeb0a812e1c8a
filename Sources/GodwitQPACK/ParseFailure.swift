/// Why a primitive could not be read. What that means depends on where it stands: the end of a field section
/// is final, the end of what came on a stream is not.
enum ParseFailure: Error {
    /// The bytes end before the value does.
    case incomplete
    /// An integer above 2^62 - 1, an encoding of one without end, or a length above the limit.
    case tooLarge
    /// The Huffman code was broken: EOS within it, or padding that is too long or not of ones.
    case invalidHuffman
    /// The string is longer than there is room for.
    case noRoom
    /// An instruction refers to an entry that is not in the table.
    case noSuchEntry
}

extension ParseFailure {
    var reason: String {
        switch self {
        case .incomplete: "truncated"
        case .tooLarge: "integer or length too large"
        case .invalidHuffman: "invalid Huffman code"
        case .noRoom: "string too long"
        case .noSuchEntry: "reference to no entry of the table"
        }
    }
}
