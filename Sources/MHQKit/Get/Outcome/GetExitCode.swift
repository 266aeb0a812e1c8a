/// The exit codes of `mhq get` for what goes wrong on the network: those of curl. Wrong options and files
/// have the codes of ``ExitCode``.
public enum GetExitCode {
    /// The host's name has no address.
    public static let nameNotFound: Int32 = 6
    /// The server refused the connection.
    public static let refused: Int32 = 7
    /// The answer broke off.
    public static let partial: Int32 = 18
    /// The status is 400 or above, with `--fail`.
    public static let errorStatus: Int32 = 22
    /// The server did not answer, or took too long.
    public static let timeout: Int32 = 28
    /// The TLS handshake failed.
    public static let handshake: Int32 = 35
    /// The connection was lost.
    public static let connectionLost: Int32 = 56
    /// The server's certificate is not trusted.
    public static let certificate: Int32 = 60
    /// The server reset the stream, or did not want it.
    public static let stream: Int32 = 92
    /// HTTP/3's rules were broken.
    public static let http3: Int32 = 95
    /// QUIC's rules were broken, or there is no version in common.
    public static let quic: Int32 = 96
    /// A signal ended it: 128 and the signal's number.
    public static let interrupted: Int32 = 130

    /// For the help text.
    public static let table = """
        6 no such host · 7 refused · 18 the answer broke off · 22 status 400 or above, with --fail · 28 no answer in
        time · 35 TLS handshake failed · 56 connection lost · 60 certificate not trusted · 92 stream reset by the
        server · 95 HTTP/3 error · 96 QUIC error · 130 interrupted · 64 to 78 wrong options or files (sysexits)
        """
}
