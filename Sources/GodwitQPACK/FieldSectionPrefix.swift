import GodwitWire

/// What an encoded field section starts with (RFC 9204 section 4.5.1).
struct FieldSectionPrefix: Equatable {
    /// How many inserts the decoder must have received.
    var requiredInsertCount: UInt64
    /// What the relative and post-base indices of the section count from.
    var base: UInt64

    /// How many entries a table of at most that capacity can have (RFC 9204 section 4.5.1.1).
    static func maximumEntries(_ maximumTableCapacity: UInt64) -> UInt64 {
        maximumTableCapacity / UInt64(DynamicTable.overheadPerEntry)
    }
}

// MARK: Encoding

extension FieldSectionPrefix {
    /// How many bytes it takes on the wire.
    func length(maximumEntries: UInt64) -> Int {
        PrefixedInteger.length(encodedInsertCount(maximumEntries), mask: 0xff)
            + PrefixedInteger.length(deltaBase, mask: 0x7f)
    }

    func encode(into writer: inout ByteWriter, maximumEntries: UInt64) {
        writer.writePrefixedInteger(encodedInsertCount(maximumEntries), mask: 0xff, flags: 0)
        writer.writePrefixedInteger(deltaBase, mask: 0x7f, flags: base < requiredInsertCount ? 0x80 : 0)
    }

    private func encodedInsertCount(_ maximumEntries: UInt64) -> UInt64 {
        requiredInsertCount == 0 ? 0 : requiredInsertCount % (2 * maximumEntries) + 1
    }

    private var deltaBase: UInt64 {
        base >= requiredInsertCount ? base - requiredInsertCount : requiredInsertCount - base - 1
    }
}

// MARK: Decoding

/// Why a prefix is refused.
enum PrefixFailure: Error {
    case unparsable(ParseFailure)
    /// A count that no encoder following the rules could have sent.
    case impossibleInsertCount
    case negativeBase
}

extension FieldSectionPrefix {
    /// Reads a prefix at a decoder that has received `insertCount` inserts.
    static func decode(
        _ reader: inout ByteReader, insertCount: UInt64, maximumEntries: UInt64
    ) throws(PrefixFailure) -> FieldSectionPrefix {
        let (encoded, isNegative, delta) = try read(&reader)
        guard let required = requiredInsertCount(encoded, insertCount, maximumEntries) else {
            throw .impossibleInsertCount
        }
        guard isNegative else {
            return FieldSectionPrefix(requiredInsertCount: required, base: required + delta)
        }
        // RFC 9204 section 4.5.1.2: a base below zero is invalid.
        guard required > delta else { throw .negativeBase }
        return FieldSectionPrefix(requiredInsertCount: required, base: required - delta - 1)
    }

    @inline(__always)
    private static func read(
        _ reader: inout ByteReader
    ) throws(PrefixFailure) -> (encoded: UInt64, isNegative: Bool, delta: UInt64) {
        do throws(ParseFailure) {
            let encoded = try reader.readPrefixedInteger(mask: 0xff)
            guard let second = reader.peekUInt8() else { throw .incomplete }
            return (encoded, second & 0x80 != 0, try reader.readPrefixedInteger(mask: 0x7f))
        } catch {
            throw .unparsable(error)
        }
    }

    /// Undoes the wrapping of RFC 9204 section 4.5.1.1; nil for what can't have been sent.
    private static func requiredInsertCount(
        _ encoded: UInt64, _ insertCount: UInt64, _ maximumEntries: UInt64
    ) -> UInt64? {
        guard encoded > 0 else { return 0 }
        let fullRange = 2 * maximumEntries
        guard encoded <= fullRange else { return nil }
        let maximum = insertCount + maximumEntries
        var required = maximum - maximum % fullRange + encoded - 1
        if required > maximum {
            guard required > fullRange else { return nil }
            required -= fullRange
        }
        return required > 0 ? required : nil
    }
}
