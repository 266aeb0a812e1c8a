/// Whose certificates are believed.
public enum TrustPolicy: Sendable {
    /// The roots that the operating system ships. The environment variables SSL_CERT_FILE and SSL_CERT_DIR,
    /// if set, name others.
    case system
    /// These certificates and what they sign. They need not be roots: an endpoint's own certificate is
    /// believed as it stands.
    case certificates([Certificate])
    /// Anyone's. Without a check of one's own an attacker on the way can read and change everything.
    case insecureNoVerification
}
