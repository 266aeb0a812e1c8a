extension DecodingError {
    /// A snapshot whose values do not fit each other.
    static func inconsistent(_ decoder: any Decoder, _ what: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: what))
    }
}
