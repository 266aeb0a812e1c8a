/// The key schedule of TLS 1.3 (RFC 8446 section 7.1), but for the shared secret of the key exchange: the two
/// randoms, which stand in clear in the hellos, take its place.
struct StandInKeySchedule {
    static let suite = CipherSuite.aes128GCM

    private var transcript: [UInt8] = []
    private var secret: [UInt8]

    init(presharedKey: [UInt8]?) {
        let zeros = [UInt8](repeating: 0, count: Self.suite.hashLength)
        secret = KeyDerivation.extract(salt: [], inputKeyMaterial: presharedKey ?? zeros, suite: Self.suite)
    }

    /// Goes on without the key of a ticket that the server didn't take.
    mutating func restart() {
        let messages = transcript
        self = StandInKeySchedule(presharedKey: nil)
        transcript = messages
    }

    mutating func add(_ message: StandInMessage) { transcript += message.bytes }

    mutating func advance(_ input: [UInt8]) {
        secret = KeyDerivation.extract(salt: secret, inputKeyMaterial: input, suite: Self.suite)
    }

    /// A secret over the messages so far.
    func derive(_ label: String) -> [UInt8] {
        KeyDerivation.expandLabel(
            secret, label, context: KeyDerivation.hash(transcript, suite: Self.suite), length: 32,
            suite: Self.suite)
    }

    func trafficSecret(_ label: String) -> TrafficSecret {
        TrafficSecret(suite: Self.suite, bytes: derive(label))
    }

    /// The Finished message of the side whose handshake secret this is (RFC 8446 section 4.4.4).
    func finished(_ base: TrafficSecret) -> StandInMessage {
        let key = KeyDerivation.expandLabel(base.bytes, "finished", length: 32, suite: Self.suite)
        let hash = KeyDerivation.hash(transcript, suite: Self.suite)
        let code = KeyDerivation.authenticationCode(hash, key: key, suite: Self.suite)
        // The field's length takes two bytes that the real message doesn't have.
        return StandInMessage(.finished, [Array(code.prefix(30))], paddedTo: 36)
    }

    /// The key that a ticket stands for, once the client's Finished message is in (RFC 8446 section 4.6.1).
    func resumptionKey(nonce: [UInt8]) -> [UInt8] {
        KeyDerivation.expandLabel(
            derive("res master"), "resumption", context: nonce, length: 32, suite: Self.suite)
    }
}

/// The secrets of the handshake's end, over the messages up to the server's Finished.
struct StandInApplicationSecrets {
    let client: TrafficSecret
    let server: TrafficSecret
    let exporter: ExporterSecret

    init(_ schedule: StandInKeySchedule) {
        client = schedule.trafficSecret("c ap traffic")
        server = schedule.trafficSecret("s ap traffic")
        exporter = ExporterSecret(suite: StandInKeySchedule.suite, bytes: schedule.derive("exp master"))
    }
}
