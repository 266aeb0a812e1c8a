/// What `mhq demo` is told.
public struct DemoOptions: Sendable {
    /// Which strategies to show, in this order.
    public var strategies = DemoStrategy.shown
    /// What times, sizes and contents are drawn from.
    public var seed = UInt64.random(in: 1...99_999)
    /// Whether the same is done with migration off, which must lose every client.
    public var isControl = false
    /// Whether to print a JSON array instead of a table.
    public var writesJSON = false
    /// A file for the datagrams that the clients' sockets send and receive.
    public var captureFile: String?
    /// A file for the secrets of TLS, for Wireshark.
    public var keyLog: String?
    /// The program to start as the server: this one.
    public var executable = "/proc/self/exe"

    /// How many clients there are.
    public var clients = 8
    /// How often the server moves under each strategy.
    public var moves = 2
    /// How long clients work before the first move.
    var warmUp = Duration.milliseconds(600)
    /// How long they work after each.
    var afterMove = Duration.milliseconds(900)
    /// After so long without an answer a client counts as lost.
    var patience = Duration.seconds(5)

    /// The defaults, with a seed of chance.
    public init() {}
}

/// How the server of a demo moves.
public enum DemoStrategy: String, CaseIterable, Sendable {
    /// Explicit, and the clients' application says when.
    case explicitProactive = "explicit-proactive"
    /// Explicit, and the clients find out by themselves.
    case explicitReactive = "explicit-reactive"
    /// Pool of Addresses.
    case pool
    /// Symmetric.
    case symmetric
    /// Synchronized Symmetric.
    case synchronizedSymmetric = "synchronized-symmetric"
    /// Combined.
    case combined
    /// None: migration is off at both ends.
    case control

    /// Those that move a server.
    public static let shown = allCases.filter { $0 != .control }

    /// The name in a table.
    var title: String {
        switch self {
        case .explicitProactive: "explicit (proactive)"
        case .explicitReactive: "explicit (reactive)"
        case .pool: "pool of addresses"
        case .symmetric: "symmetric"
        case .synchronizedSymmetric: "synchronized symmetric"
        case .combined: "combined"
        case .control: "none (migration off)"
        }
    }

    /// What the operator calls it; nil for none.
    var operatorName: StrategyName? {
        switch self {
        case .explicitProactive, .explicitReactive: .explicit
        case .pool: .pool
        case .symmetric: .symmetric
        case .synchronizedSymmetric: .synchronizedSymmetric
        case .combined: .combined
        case .control: nil
        }
    }
}
