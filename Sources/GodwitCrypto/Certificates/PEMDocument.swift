internal import CNIOBoringSSL

/// The blocks of a PEM text (RFC 7468).
struct PEMDocument {
    struct Block {
        /// What stands behind BEGIN.
        let label: String
        let der: [UInt8]
        /// Old ways to encrypt a key say so in headers before the data.
        let isEncrypted: Bool
    }

    private(set) var blocks: [Block] = []

    /// Text that holds no blocks gives none; a block that is damaged ends the reading with an error.
    init(_ text: [UInt8], source: String) throws(TLSConfigurationError) {
        ERR_clear_error()
        // The BIO does not copy the text, so the array has to be held for as long as it is read.
        let blocks = text.withUnsafeBufferPointer { Self.readBlocks($0) }
        let error = ERR_peek_error()
        ERR_clear_error()
        guard let blocks else { throw TLSConfigurationError(source: source, problem: "out of memory") }
        guard error == 0 || ERR_GET_REASON(error) == PEM_R_NO_START_LINE else {
            throw TLSConfigurationError(
                source: source, problem: "PEM block \(blocks.count + 1) is damaged (\(errorText(error)))")
        }
        self.blocks = blocks
    }

    private static func readBlocks(_ text: UnsafeBufferPointer<UInt8>) -> [Block]? {
        guard let bio = BIO_new_mem_buf(text.baseAddress, text.count) else { return nil }
        defer { BIO_free(bio) }
        var blocks: [Block] = []
        while let block = next(bio) { blocks.append(block) }
        return blocks
    }

    private static func next(_ bio: OpaquePointer) -> Block? {
        var (label, header): (UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<CChar>?)
        var (data, length): (UnsafeMutablePointer<UInt8>?, Int) = (nil, 0)
        guard PEM_read_bio(bio, &label, &header, &data, &length) == 1, let label, let header, let data else {
            return nil
        }
        defer {
            OPENSSL_free(label)
            OPENSSL_free(header)
            OPENSSL_free(data)
        }
        return Block(
            label: String(cString: label), der: [UInt8](UnsafeBufferPointer(start: data, count: length)),
            isEncrypted: header.pointee != 0)
    }

    /// A block as text.
    static func text(label: String, der: [UInt8]) -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        var (contents, length): (UnsafePointer<UInt8>?, Int) = (nil, 0)
        guard PEM_write_bio(bio, label, "", der, der.count) > 0,
            BIO_mem_contents(bio, &contents, &length) == 1
        else { return "" }
        return String(decoding: UnsafeBufferPointer(start: contents, count: length), as: UTF8.self)
    }
}
