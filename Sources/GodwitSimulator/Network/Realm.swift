import GodwitWire

/// A range of the network in which an address means one thing: the internet, or the inside of a translator.
struct Realm {
    enum Owner: Equatable {
        case host(UInt32, interface: Int)
        case translator(UInt32)
        case attacker(UInt32)
    }

    private var owners: [NetworkAddress: Owner] = [:]
    /// Translators own every port of their addresses.
    private var translators: [IPAddress: UInt32] = [:]

    /// The index of the internet among the realms; the inside of translator `n` is realm `n + 1`.
    static let internet = 0
    static func inside(_ translator: TranslatorID?) -> Int {
        translator.map { Int($0.index) + 1 } ?? internet
    }

    func owner(of address: NetworkAddress) -> Owner? {
        if let owner = owners[address] { return owner }
        return translators.isEmpty ? nil : translators[address.ip].map { .translator($0) }
    }

    mutating func register(_ address: NetworkAddress, owner: Owner) {
        precondition(owners[address] == nil, "\(address) already belongs to someone")
        owners[address] = owner
    }

    mutating func unregister(_ address: NetworkAddress) { owners[address] = nil }

    mutating func register(translator: UInt32, at ip: IPAddress) {
        precondition(translators[ip] == nil, "\(ip) already belongs to a translator")
        translators[ip] = translator
    }

    mutating func unregister(translatorAt ip: IPAddress) { translators[ip] = nil }
}
