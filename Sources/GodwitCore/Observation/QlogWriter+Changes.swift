import GodwitWire

// What changes at a connection besides its packets.
extension QlogWriter {
    func writeStage(_ new: QlogStage, since old: QlogStage?) {
        write(.connectionStateUpdated) {
            if let old { $0.field("old", old.text) }
            $0.field("new", new.text)
        }
    }

    /// One packet may take a connection through several stages of the handshake.
    func writeStages(from old: QlogStage, to new: QlogStage) {
        guard new > old, new <= .confirmed else { return writeStage(new, since: old) }
        for stage in old.rawValue + 1...new.rawValue {
            writeStage(QlogStage(rawValue: stage)!, since: QlogStage(rawValue: stage - 1))
        }
    }

    // MARK: The end

    func writeClosed(_ reason: ConnectionCloseReason) {
        write(.connectionClosed) { data in
            switch reason {
            case .transport(let code, _, let text, let byPeer):
                data.field("initiator", byPeer ? "remote" : "local")
                code.write(as: "connection_error", &data)
                data.field("reason", text: text)
            case .application(let code, let text, let byPeer):
                data.field("initiator", byPeer ? "remote" : "local")
                data.field("application_error", "unknown")
                data.field("error_code", code)
                data.field("reason", text: text)
            case .noViablePath: TransportErrorCode.noViablePath.write(as: "connection_error", &data)
            case .idleTimeout, .handshakeTimeout, .statelessReset, .versionNegotiationFailed:
                data.field("reason", text: reason.description)
            }
            data.field("trigger", reason.qlogTrigger)
        }
    }

    // MARK: Keys

    func writeKeys(_ keys: QlogKeys, isPeersUpdate: Bool) {
        let old = view.keys
        view.keys = keys
        for level in EncryptionLevel.allCases {
            writeKey(level, isOwn: true, old.write, keys.write)
            writeKey(level, isOwn: false, old.read, keys.read)
        }
        if keys.phase != old.phase {
            let trigger: StaticString = isPeersUpdate ? "remote_update" : "local_update"
            for isOwn in [true, false] { writeKey(.keyUpdated, .oneRTT, isOwn: isOwn, keys.phase, trigger) }
        }
        if old.keepsPrevious, !keys.keepsPrevious, keys.phase > 0 {
            writeKey(.keyDiscarded, .oneRTT, isOwn: false, keys.phase - 1, nil)
        }
    }

    private func writeKey(_ level: EncryptionLevel, isOwn: Bool, _ old: QlogLevels, _ new: QlogLevels) {
        let (was, isThere) = (old.contains(.level(level)), new.contains(.level(level)))
        guard was != isThere else { return }
        writeKey(isThere ? .keyUpdated : .keyDiscarded, level, isOwn: isOwn, 0, isThere ? "tls" : nil)
    }

    private func writeKey(
        _ event: QlogEventName, _ level: EncryptionLevel, isOwn: Bool, _ phase: UInt64,
        _ trigger: StaticString?
    ) {
        let isClients = isOwn == (name.role == .client)
        write(event) {
            $0.field("key_type", level.qlogKeyType(isClients: isClients))
            if level == .oneRTT { $0.field("key_phase", phase) }
            if let trigger { $0.field("trigger", trigger) }
        }
    }

    // MARK: Recovery

    func writeMetrics(_ metrics: QlogMetrics, on path: PathID) {
        let old = view.metrics
        view.metrics = metrics
        write(.recoveryMetricsUpdated, tuple: path) { metrics.write(since: old, &$0) }
        // The name before draft 08, which is the one that qvis draws its curves from.
        write("recovery:metrics_updated", category: "recovery", tuple: path) {
            metrics.write(since: old, &$0)
        }
    }

    func writePhase(_ phase: CongestionController.Phase, on path: PathID) {
        let old = view.phase
        view.phase = phase
        write(.congestionStateUpdated, tuple: path) {
            if let old { $0.field("old", old.qlogName) }
            $0.field("new", phase.qlogName)
        }
    }

    // MARK: Paths

    func writeAssigned(_ path: Path) {
        write(.tupleAssigned) { data in
            data.field("tuple_id", text: path.id.qlogText)
            data.object("tuple_remote") { remote in
                path.remote.write(&remote)
                if let id = path.remoteID { remote.array("connection_ids") { $0.element(hex: id.bytes) } }
            }
            data.object("tuple_local") { path.local.write(&$0) }
        }
    }

    /// Without addresses, it says that the path is gone.
    func writeAbandoned(_ path: PathID) {
        write(.tupleAssigned) { $0.field("tuple_id", text: path.qlogText) }
    }

    func writeMigration(_ state: StaticString, _ path: PathID) {
        write(.migrationStateUpdated) {
            $0.field("new", state)
            $0.field("tuple_id", text: path.qlogText)
        }
    }

    func writeDatagramSize(_ size: Int, on path: PathID) {
        let old = view.datagramSize
        view.datagramSize = size
        write(.mtuUpdated, tuple: path) {
            if let old { $0.field("old", old) }
            $0.field("new", size)
        }
    }
}

extension ConnectionCloseReason {
    fileprivate var qlogTrigger: StaticString {
        switch self {
        case .transport(.noError, _, _, _): "unspecified"
        case .transport, .noViablePath: "error"
        case .application: "application"
        case .idleTimeout: "idle_timeout"
        case .handshakeTimeout: "aborted"
        case .statelessReset: "stateless_reset"
        case .versionNegotiationFailed: "version_mismatch"
        }
    }
}

extension EncryptionLevel {
    fileprivate func qlogKeyType(isClients: Bool) -> StaticString {
        switch self {
        case .initial: isClients ? "client_initial_secret" : "server_initial_secret"
        case .earlyData: isClients ? "client_0rtt_secret" : "server_0rtt_secret"
        case .handshake: isClients ? "client_handshake_secret" : "server_handshake_secret"
        case .oneRTT: isClients ? "client_1rtt_secret" : "server_1rtt_secret"
        }
    }
}

extension CongestionController.Phase {
    fileprivate var qlogName: StaticString {
        switch self {
        case .slowStart: "slow_start"
        case .conservativeSlowStart: "conservative_slow_start"
        case .congestionAvoidance: "congestion_avoidance"
        case .recovery: "recovery"
        }
    }
}
