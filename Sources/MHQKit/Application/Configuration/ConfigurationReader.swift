import Foundation
package import Godwit
package import GodwitWire

/// Reads the members of an object of a configuration file. Whatever is wrong is named by its place.
package struct ConfigurationReader {
    let file: String
    /// Where the object is in the file, such as `experiment.`.
    private let place: String
    private(set) var members: [String: JSONValue]
    /// The members that nobody asked for, by their places.
    private(set) var unknown: [String] = []
    /// What names of hosts stand for.
    var hosts: [String: IPAddress] = [:]

    private init(file: String, place: String, members: [String: JSONValue]) {
        (self.file, self.place, self.members) = (file, place, members)
    }

    /// - Parameter text: what the file holds.
    /// - Throws: a failure that names the file.
    package init(file: String, text: String) throws(Failure) {
        do {
            self.init(file: file, place: "", members: try CommentedJSON.members(of: text))
        } catch {
            throw Failure(ExitCode.configuration, "\(file): \(error.text)")
        }
    }

    /// - Throws: a failure that names the file.
    package static func open(_ path: String) throws(Failure) -> ConfigurationReader {
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            throw Failure(ExitCode.noInput, "\(path): \(FileProblem.describe(error))")
        }
        guard let text = String(bytes: data, encoding: .utf8) else {
            throw Failure(ExitCode.configuration, "\(path): is not UTF-8")
        }
        return try ConfigurationReader(file: (path as NSString).lastPathComponent, text: text)
    }

    /// A failure that names a member.
    package func failure(_ name: String, _ problem: String) -> Failure {
        Failure(ExitCode.configuration, "\(file): \(place)\(name): \(problem)")
    }

    // MARK: Members

    package mutating func flag(_ name: String, default value: Bool) throws(Failure) -> Bool {
        guard let found = members.removeValue(forKey: name) else { return value }
        guard let flag = found.flag else { throw failure(name, "is neither true nor false") }
        return flag
    }

    package mutating func whole<Number: FixedWidthInteger>(
        _ name: String, in range: ClosedRange<Number>, default value: Number
    ) throws(Failure) -> Number {
        guard let found = members.removeValue(forKey: name) else { return value }
        guard let whole = found.whole, let number = Number(exactly: whole), range.contains(number) else {
            throw failure(name, "is no whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    package mutating func number(
        _ name: String, in range: ClosedRange<Double>, default value: Double
    ) throws(Failure) -> Double {
        guard let found = members.removeValue(forKey: name) else { return value }
        guard let number = found.number, range.contains(number) else {
            throw failure(name, "is no number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    package mutating func text(_ name: String, default value: String) throws(Failure) -> String {
        guard let found = members.removeValue(forKey: name) else { return value }
        guard let text = found.text else { throw failure(name, "is no text") }
        return text
    }

    /// An IP address, or the name of a host that was looked up.
    package mutating func ip(_ name: String, default value: String) throws(Failure) -> IPAddress {
        let text = try text(name, default: value)
        guard let ip = IPAddress(text) ?? hosts[text] else {
            throw failure(name, "\"\(text)\" is no IP address")
        }
        return ip
    }

    package mutating func addresses(_ name: String, default value: [String]) throws(Failure)
        -> [NetworkAddress]
    {
        let texts = try texts(name, default: value)
        var addresses: [NetworkAddress] = []
        for (index, text) in texts.enumerated() {
            guard let address = NetworkAddress(text), address.port != 0 else {
                throw failure("\(name)[\(index)]", "\"\(text)\" is not an IP:PORT")
            }
            addresses.append(address)
        }
        return addresses
    }

    /// Ranges of addresses; nil when the member is absent.
    package mutating func prefixes(_ name: String) throws(Failure) -> [AddressPrefix]? {
        guard members[name] != nil else { return nil }
        var prefixes: [AddressPrefix] = []
        for (index, text) in try texts(name, default: []).enumerated() {
            guard let prefix = AddressPrefix(text) else {
                throw failure("\(name)[\(index)]", "\"\(text)\" is no prefix such as 192.0.2.0/24")
            }
            prefixes.append(prefix)
        }
        return prefixes
    }

    private mutating func texts(_ name: String, default value: [String]) throws(Failure) -> [String] {
        guard let found = members.removeValue(forKey: name) else { return value }
        guard let texts = found.texts else { throw failure(name, "is no list of texts") }
        return texts
    }

    /// One of a few words.
    package mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, default value: Choice
    ) throws(Failure) -> Choice where Choice.RawValue == String {
        let text = try text(name, default: value.rawValue)
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw failure(name, "\"\(text)\" is none of \(names)")
        }
        return choice
    }

    /// An object within; one that is absent counts as empty.
    package mutating func object<Result>(
        _ name: String, _ body: (inout ConfigurationReader) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let found = members.removeValue(forKey: name) ?? .object([:])
        guard case .object(let members) = found else { throw failure(name, "is no object") }
        var inner = ConfigurationReader(file: file, place: place + name + ".", members: members)
        inner.hosts = hosts
        let result = try body(&inner)
        unknown += inner.unknownMembers
        return result
    }

    /// The members that nobody has asked for, here and in objects within; to be asked at the end.
    package var unknownMembers: [String] { unknown + members.keys.sorted().map { place + $0 } }
}
