public import GodwitHTTP3

/// What `mhq serve` is told.
public struct WebServerOptions: Sendable {
    // MARK: Where and what

    /// Where to listen for HTTP/3, and for HTTPS over TCP.
    public var listen: [ListenAddress] = []
    /// The folder whose files are served; nil for none.
    public var root: String?
    /// The certificates; none for one that is made for this run.
    public var certificates: [CertificateFiles] = []
    /// Where to write the certificate that was made; nil for a temporary file.
    public var selfSignedFile: String?
    /// Whether browsers can come over TCP and are told of HTTP/3.
    public var servesTCP = true
    /// Makes the sizes of `/distribution` repeatable.
    public var seed: UInt64?

    // MARK: What is told of it

    /// Where metrics can be fetched.
    public var metrics: ListenAddress?
    /// A file for one line a request, or `-`.
    public var accessLog: String?
    /// A file for the secrets of TLS.
    public var keyLog: String?
    /// A folder for logs of packets.
    public var qlogFolder: String?

    // MARK: Moving

    /// Where an operator may tell the server to move: a Unix socket.
    public var control: String?
    /// Where an operator may tell it the way the thesis's does, over UDP, unauthenticated.
    public var management: ListenAddress?
    /// A file for what the thesis's interface measures, written at the end.
    public var managementReport: String?
    /// Where to ask which of several copies of this server goes on: a Unix socket; nil for nowhere.
    public var arbiter: String?
    /// Where clients may be sent; nowhere without one.
    public var allowedDestinations: [AddressPrefix] = []
    /// Where the server may go without further notice.
    public var migrationPool = AddressPool()

    /// Whether QUIC version 0xfaceb002 is spoken as well, with which the thesis's client begins.
    public var speaksThesisVersion = false

    /// Whether there is anybody who could have the server move.
    var isMovable: Bool { control != nil || management != nil }

    // MARK: How

    /// How many threads serve connections.
    public var eventLoops = 1
    /// Whether every client has to prove its address first (RFC 9000 section 8.1.2).
    public var alwaysRetries = false
    /// Whether requests are taken in early data (0-RTT).
    public var takesEarlyData = true
    /// How long requests may go on when the server is told to end.
    public var gracePeriod: Duration = .seconds(10)
    /// What clients may make the server do and keep.
    public var limits = HTTP3ServerLimits()

    /// The defaults, without an address to listen at.
    public init() {}
}

/// What a running server is told to do.
public enum WebServerSignal: Hashable, Sendable {
    /// To take no more requests, and to end when those under way are answered; the second time to end at
    /// once. The number is the system's, for the exit code.
    case end(Int32)
    /// To read certificates anew, and to go on with a new access log.
    case reload
}
