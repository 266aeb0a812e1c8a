import Godwit

/// Reads the members of a JSON object, and says which one is wrong.
struct RequestReader {
    private var members: [String: JSONValue]

    /// - Throws: a failure when the text is no JSON object.
    init(_ text: some StringProtocol) throws(Failure) {
        guard let members = JSONValue.members(of: text) else {
            throw Failure(ExitCode.dataError, "the request is no JSON object")
        }
        self.members = members
    }

    /// An object within another.
    init(members: [String: JSONValue]) { self.members = members }

    /// - Throws: a failure that names a member that was not asked for.
    func refuseOthers() throws(Failure) {
        guard let name = members.keys.min() else { return }
        throw Failure(ExitCode.dataError, "\(name): not a member of this request")
    }

    // MARK: Members

    func has(_ name: String) -> Bool { members[name] != nil }

    mutating func string(_ name: String) throws(Failure) -> String {
        guard let text = try optionalString(name) else {
            throw Failure(ExitCode.dataError, "\(name): is missing")
        }
        return text
    }

    mutating func optionalString(_ name: String) throws(Failure) -> String? {
        guard let value = members.removeValue(forKey: name) else { return nil }
        guard let text = value.text else { throw Failure(ExitCode.dataError, "\(name): is no text") }
        return text
    }

    mutating func strings(_ name: String) throws(Failure) -> [String] {
        guard let value = members.removeValue(forKey: name) else { return [] }
        guard let texts = value.texts else {
            throw Failure(ExitCode.dataError, "\(name): is no list of texts")
        }
        return texts
    }

    mutating func table(_ name: String) throws(Failure) -> [String: JSONValue] {
        guard let value = members.removeValue(forKey: name) else { return [:] }
        guard case .object(let members) = value else {
            throw Failure(ExitCode.dataError, "\(name): is no object")
        }
        return members
    }

    mutating func flag(_ name: String) throws(Failure) -> Bool {
        guard let value = members.removeValue(forKey: name) else { return false }
        guard let flag = value.flag else {
            throw Failure(ExitCode.dataError, "\(name): is neither true nor false")
        }
        return flag
    }

    mutating func number(_ name: String) throws(Failure) -> UInt64? {
        guard let value = members.removeValue(forKey: name) else { return nil }
        guard let whole = value.whole else {
            throw Failure(ExitCode.dataError, "\(name): is no whole number from 0 on")
        }
        return whole
    }

    mutating func seconds(_ name: String) throws(Failure) -> Duration? {
        guard let value = members.removeValue(forKey: name) else { return nil }
        guard let number = value.number, 0...3600 ~= number else {
            throw Failure(ExitCode.dataError, "\(name): is no number of seconds from 0 to 3600")
        }
        return .seconds(number)
    }

    mutating func epoch() throws(Failure) -> MigrationEpoch {
        guard let number = try number("epoch") else { throw Failure(ExitCode.dataError, "epoch: is missing") }
        return MigrationEpoch(rawValue: number)
    }

    mutating func addresses(_ name: String) throws(Failure) -> [NetworkAddress] {
        var addresses: [NetworkAddress] = []
        for (index, text) in try strings(name).enumerated() {
            guard let address = NetworkAddress(text) else {
                throw Failure(ExitCode.dataError, "\(name)[\(index)]: '\(text)' is not an IP:PORT")
            }
            addresses.append(address)
        }
        return addresses
    }
}

extension [UInt8] {
    /// Bytes in hexadecimal; nil when there is anything else.
    init?(hexadecimal text: some StringProtocol) {
        let digits = Array<UInt8>(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.digit(digits[index]), let low = Self.digit(digits[index + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        self = bytes
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x61...0x66: character - 0x61 + 10
        case 0x41...0x46: character - 0x41 + 10
        default: nil
        }
    }
}
