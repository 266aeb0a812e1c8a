import Foundation
public import Godwit

/// What an operator tells a server that is to move: one JSON object on one line.
public enum OperatorRequest: Hashable, Sendable {
    /// Have connections prepare, and wait until they are ready or the deadline has come.
    case prepare(Preparation)
    /// Stand still, for the process is about to be frozen; with `releasesAddress` the sockets are closed too.
    case hold(MigrationEpoch, releasesAddress: Bool)
    /// Go on, at those addresses, or where the sockets are.
    case networkSwitched(MigrationEpoch, to: [NetworkAddress])
    /// Stay.
    case cancel(MigrationEpoch)
    /// Tell clients where the server may move without further notice.
    case pool(AddressPool)
    /// Say how far everything is.
    case status(showsConnections: Bool)
    /// End, as at SIGTERM.
    case shutdown

    /// What there is to prepare.
    public struct Preparation: Hashable, Sendable {
        /// How to move and where.
        public var plan: MigrationPlan
        /// The plan's number; nil for the next.
        public var epoch: MigrationEpoch?
        /// How long to wait.
        public var deadline = Duration.seconds(2)
        /// Whether to name each connection in the answer.
        public var showsConnections = false

        /// A preparation.
        public init(plan: MigrationPlan, epoch: MigrationEpoch? = nil) {
            self.plan = plan
            self.epoch = epoch
        }
    }

    /// The value of the member `command`.
    public var name: String {
        switch self {
        case .prepare: "prepare"
        case .hold: "hold"
        case .networkSwitched: "switch"
        case .cancel: "cancel"
        case .pool: "pool"
        case .status: "status"
        case .shutdown: "shutdown"
        }
    }

    /// How much of a request is read, in bytes.
    static let longest = 64 << 10
}

// MARK: Reading

extension OperatorRequest {
    /// Reads a request.
    ///
    /// - Throws: a failure that names the member at fault.
    public init(line: some StringProtocol) throws(Failure) {
        var reader = try RequestReader(line)
        self = try Self.read(&reader)
        try reader.refuseOthers()
    }

    private static func read(_ reader: inout RequestReader) throws(Failure) -> OperatorRequest {
        switch try reader.string("command") {
        case "prepare": return .prepare(try preparation(&reader))
        case "hold":
            return .hold(try reader.epoch(), releasesAddress: try reader.flag("release"))
        case "switch": return .networkSwitched(try reader.epoch(), to: try reader.addresses("addresses"))
        case "cancel": return .cancel(try reader.epoch())
        case "pool": return .pool(try pool(&reader))
        case "status": return .status(showsConnections: try reader.flag("details"))
        case "shutdown": return .shutdown
        case let other:
            throw Failure(
                ExitCode.dataError,
                "command: '\(other)' is none of prepare, hold, switch, cancel, pool, status, shutdown")
        }
    }

    private static func preparation(_ reader: inout RequestReader) throws(Failure) -> Preparation {
        let destinations = try reader.addresses("destinations")
        let strategy = try reader.string("strategy")
        var others: [MigrationOrder] = []
        for name in try reader.strings("otherwise") {
            others.append(try StrategyName(name, member: "otherwise").order(to: destinations))
        }
        var preparation = Preparation(plan: try plan(strategy, destinations, others))
        preparation.epoch = try reader.number("epoch").map { MigrationEpoch(rawValue: $0) }
        preparation.deadline = try reader.seconds("deadline") ?? preparation.deadline
        preparation.showsConnections = try reader.flag("details")
        for (id, value) in try reader.table("connections") {
            guard let bytes = [UInt8](hexadecimal: id), let key = ConnectionID(bytes) else {
                throw Failure(ExitCode.dataError, "connections: '\(id)' is no connection id")
            }
            preparation.plan.exceptions[key] = [try order(value, member: "connections.\(id)", destinations)]
        }
        return preparation
    }

    /// An empty pool has to be said: nobody gets one by leaving the member out.
    private static func pool(_ reader: inout RequestReader) throws(Failure) -> AddressPool {
        guard reader.has("addresses") else { throw Failure(ExitCode.dataError, "addresses: is missing") }
        var pool = AddressPool()
        for (index, address) in try reader.addresses("addresses").enumerated() where !pool.insert(address) {
            throw Failure(
                ExitCode.dataError,
                "addresses[\(index)]: '\(address)' is not an IP:PORT of a host, stands there twice, or is one of "
                    + "more than \(AddressPool.capacity)")
        }
        return pool
    }

    /// A connection's own strategy: its name, or an object with the name and destinations that are its own, too.
    private static func order(
        _ value: JSONValue, member: String, _ destinations: [NetworkAddress]
    ) throws(Failure) -> MigrationOrder {
        if let name = value.text { return try StrategyName(name, member: member).order(to: destinations) }
        guard case .object(let members) = value else {
            throw Failure(ExitCode.dataError, "\(member): is neither a strategy nor an object")
        }
        var reader = RequestReader(members: members)
        let name = try StrategyName(try reader.string("strategy"), member: "\(member).strategy")
        let order = try name.order(to: try reader.addresses("destinations"))
        try reader.refuseOthers()
        return order
    }

    private static func plan(
        _ name: String, _ destinations: [NetworkAddress], _ others: [MigrationOrder]
    ) throws(Failure) -> MigrationPlan {
        if name == "best" { return .best(to: try StrategyName.destination(destinations)) }
        if name == "none" { return MigrationPlan(default: nil, otherwise: others) }
        return MigrationPlan(
            default: try StrategyName(name, member: "strategy").order(to: destinations), otherwise: others)
    }
}

/// A strategy as operators call it.
public enum StrategyName: String, CaseIterable, Sendable {
    /// Explicit.
    case explicit
    /// Pool of Addresses.
    case pool
    /// Symmetric.
    case symmetric
    /// Synchronized Symmetric.
    case synchronizedSymmetric = "synchronized-symmetric"
    /// Combined.
    case combined

    /// Reads a name.
    ///
    /// - Parameter member: is named in the failure.
    init(_ name: String, member: String) throws(Failure) {
        guard let strategy = StrategyName(rawValue: name) else {
            throw Failure(ExitCode.dataError, "\(member): '\(name)' is none of \(Self.list), best")
        }
        self = strategy
    }

    /// The names.
    public static let list = allCases.map(\.rawValue).joined(separator: ", ")

    func order(to destinations: [NetworkAddress]) throws(Failure) -> MigrationOrder {
        switch self {
        case .explicit: .explicit(destination: try Self.destination(destinations))
        case .combined: .combined(destination: try Self.destination(destinations))
        case .pool: .poolOfAddresses
        case .symmetric: .symmetric
        case .synchronizedSymmetric: .synchronizedSymmetric
        }
    }

    static func destination(_ addresses: [NetworkAddress]) throws(Failure) -> MigrationDestination {
        guard !addresses.isEmpty else {
            throw Failure(ExitCode.dataError, "destinations: the strategy needs one (IP:PORT)")
        }
        let (ipv4, ipv6) = (addresses.filter(\.isIPv4), addresses.filter { !$0.isIPv4 })
        guard ipv4.count <= 1, ipv6.count <= 1 else {
            throw Failure(ExitCode.dataError, "destinations: there is one at most of each address family")
        }
        guard let destination = MigrationDestination(ipv4: ipv4.first, ipv6: ipv6.first) else {
            let names = addresses.map { "\($0)" }.joined(separator: ", ")
            throw Failure(ExitCode.dataError, "destinations: no host can be reached at \(names)")
        }
        return destination
    }
}

// MARK: Writing

extension OperatorRequest {
    /// The request as it is sent, without an end of line.
    public var line: String {
        var line = JSONLine()
        line.add("command", name)
        switch self {
        case .prepare(let preparation): preparation.write(to: &line)
        case .hold(let epoch, let releasesAddress):
            line.add("epoch", epoch.rawValue)
            if releasesAddress { line.add("release", true) }
        case .networkSwitched(let epoch, let addresses):
            line.add("epoch", epoch.rawValue)
            line.add("addresses", addresses.map { "\($0)" })
        case .cancel(let epoch): line.add("epoch", epoch.rawValue)
        case .pool(let pool): line.add("addresses", pool.addresses.map { "\($0)" })
        case .status(let showsConnections): if showsConnections { line.add("details", true) }
        case .shutdown: break
        }
        return line.finished()
    }
}

extension OperatorRequest.Preparation {
    fileprivate func write(to line: inout JSONLine) {
        let orders = plan.orders
        let names = orders.map { StrategyName($0.strategy).rawValue }
        line.add("strategy", names.first ?? "none")
        if names.count > 1 { line.add("otherwise", Array(names.dropFirst())) }
        let destination = orders.lazy.compactMap(\.destination).first
        line.add("destinations", destination?.addresses.map { "\($0)" } ?? [])
        line.add("deadline", seconds: deadline)
        if let epoch { line.add("epoch", epoch.rawValue) }
        if showsConnections { line.add("details", true) }
        if !plan.exceptions.isEmpty {
            var table = JSONLine()
            for (id, orders) in plan.exceptions.sorted(by: { "\($0.key)" < "\($1.key)" }) {
                guard let order = orders.first else { continue }
                let name = StrategyName(order.strategy).rawValue
                if order.destination == destination || order.destination == nil {
                    table.add(key: "\(id)", name)
                } else {
                    var own = JSONLine()
                    own.add("strategy", name)
                    own.add("destinations", order.destination?.addresses.map { "\($0)" } ?? [])
                    table.add(key: "\(id)", json: own.finished())
                }
            }
            line.add("connections", json: table.finished())
        }
    }
}

extension StrategyName {
    init(_ strategy: MigrationStrategy) {
        self =
            switch strategy {
            case .explicit: .explicit
            case .poolOfAddresses: .pool
            case .symmetric: .symmetric
            case .synchronizedSymmetric: .synchronizedSymmetric
            case .combined: .combined
            }
    }
}
