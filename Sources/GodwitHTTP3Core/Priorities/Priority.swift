public import GodwitQPACK

/// How a response competes with others (RFC 9218 section 4).
public struct Priority: Hashable, Sendable, Codable {
    /// 0 (first) to 7 (background).
    public var urgency: UInt8
    /// Whether parts of the response are of use before all of it is there.
    public var isIncremental: Bool

    /// A priority; what is left out has its default (RFC 9218 sections 4.1 and 4.2).
    public init(urgency: UInt8 = 3, isIncremental: Bool = false) {
        self.urgency = min(urgency, 7)
        self.isIncremental = isIncremental
    }

    /// Urgency 3, not incremental.
    public static let `default` = Priority()
}

// MARK: As text

extension Priority {
    /// The priority that a Priority field value gives (RFC 9218 section 4): what it leaves out, what is out
    /// of range or of another type counts as the default. Nil when the value is not a dictionary at all.
    public init?(fieldValue: UnsafeRawBufferPointer) {
        self.init()
        guard merge(fieldValue: fieldValue) else { return nil }
    }

    /// Takes over what a Priority field value says, and leaves what it does not (RFC 9218 section 8: how a
    /// response's field counts for a server that has a request's).
    ///
    /// - Returns: whether the value is a dictionary. If not, nothing changes.
    @discardableResult
    public mutating func merge(fieldValue: UnsafeRawBufferPointer) -> Bool {
        var merged = self
        var reader = StructuredFieldReader(fieldValue)
        guard reader.readDictionary({ merged.take($1, named: $0) }) else { return false }
        self = merged
        return true
    }

    private mutating func take(_ value: StructuredFieldReader.Value, named key: UnsafeRawBufferPointer) {
        guard key.count == 1 else { return }
        switch (key[0], value) {
        case (UInt8(ascii: "u"), .integer(let level)):
            if let level = UInt8(exactly: level), level <= 7 { urgency = level }
        case (UInt8(ascii: "i"), .boolean(let flag)): isIncremental = flag
        default: break
        }
    }

    /// As a Priority field value; empty for the default (RFC 9218 section 4).
    public var fieldValue: String {
        switch (urgency, isIncremental) {
        case (3, false): ""
        case (3, true): "i"
        case (_, false): "u=\(urgency)"
        case (_, true): "u=\(urgency), i"
        }
    }

    /// Adds a Priority field for this priority, unless it is the default.
    public func append(to fields: inout FieldSection) {
        if self != .default { fields.append(name: "priority", value: fieldValue) }
    }
}
