/// What `mhq get` is told.
public struct GetOptions: Sendable {
    // MARK: What to get

    /// `https` URLs.
    public var urls: [String] = []
    /// Files for the URLs, in their order; `-` for standard output.
    public var outputs: [String] = []
    /// Whether the other URLs go to files with their own names.
    public var usesRemoteNames = false
    /// How often to get each URL.
    public var repetitions = 1
    /// How many requests may be under way at once.
    public var parallel = 1

    // MARK: What to send

    /// A file to send with POST; `-` for standard input.
    public var data: String?
    /// A file to send with PUT; `-` for standard input.
    public var upload: String?
    /// Whether to ask for the header section alone.
    public var isHead = false
    /// More fields, as `Name: value`.
    public var headers: [String] = []

    // MARK: Connections

    /// A PEM file with the certificates to trust; nil for the system's.
    public var authorityFile: String?
    /// Whether to trust anyone.
    public var isInsecure = false
    /// Where to keep what makes the next connection faster.
    public var sessionFile: String?
    /// Whether each request gets a connection of its own.
    public var opensNewConnections = false
    /// Whether requests may go out before the handshake is complete (0-RTT).
    public var offersEarlyData = true
    /// Whether to follow servers that move, as far as they know how.
    public var followsServer = true
    /// How long to wait for a connection.
    public var connectTime: Duration = .seconds(5)
    /// How long one transfer may take; nil for any time.
    public var timeLimit: Duration?

    // MARK: What is told of it

    /// Whether an answer with status 400 or above is a failure.
    public var failsOnErrorStatus = false
    /// Whether to print one JSON object for each transfer.
    public var reportsJSON = false
    /// Whether to tell of connections, requests and answers on standard error.
    public var isVerbose = false
    /// Whether to show progress, if standard error is a terminal.
    public var showsProgress = true
    /// A file for the secrets of TLS.
    public var keyLog: String?
    /// A folder for logs of packets.
    public var qlogFolder: String?

    /// The defaults, without a URL.
    public init() {}
}
