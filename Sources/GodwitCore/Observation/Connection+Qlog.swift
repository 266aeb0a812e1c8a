import GodwitCrypto
import GodwitWire

// What the log of a connection is told. Without one, each packet costs a comparison with nil.
extension Connection {
    /// Begins a log if the endpoint has somewhere to put it.
    func openLog(now: Instant) {
        guard let factory = environment.configuration.qlog else { return }
        let name = QlogConnectionName(originalDestination: identity.originalDestination, role: role)
        qlog = QlogWriter(
            name, factory, mayMove: !migrationParameterIDs.isEmpty, now: now,
            unixTime: environment.unixTime(at: now))
    }

    /// Begins the log of a new connection.
    func logStart(now: Instant) {
        openLog(now: now)
        guard let qlog else { return }
        qlog.writeStarted(local: paths.active.local, remote: paths.active.remote)
        qlog.writeStage(.attempted, since: nil)
        qlog.writeVersions(configuration.versions, chosen: identity.version)
        qlog.view.version = identity.version
    }

    // MARK: Packets

    /// A packet is complete and about to be sealed, which destroys its frames.
    func logSent(_ packet: inout PacketBuilder, on path: PathID, isMTUProbe: Bool = false) {
        guard let qlog = readyLog() else { return }
        packet.padForSample()
        let bytes = UnsafeRawBufferPointer(packet.writer.written)
        let payloadOffset = packet.layout.payloadOffset
        qlog.writeSent(
            QlogPacket(
                level: packet.level, number: packet.number,
                header: UnsafeRawBufferPointer(rebasing: bytes[..<payloadOffset]),
                payload: UnsafeRawBufferPointer(rebasing: bytes[payloadOffset...]), path: path,
                ackDelayExponent: localParameters.ackDelayExponent, isMTUProbe: isMTUProbe))
    }

    func logReceived(_ packet: ReceivedPacket, on path: PathID) {
        guard let qlog = readyLog() else { return }
        qlog.writeReceived(
            QlogPacket(
                level: packet.level, number: packet.number, header: packet.header, payload: packet.payload,
                path: path, ackDelayExponent: peerParameters.ackDelayExponent))
    }

    /// The log, of which nothing is kept if nobody wants it.
    private func readyLog() -> QlogWriter? {
        guard let qlog, !qlog.open() else { return qlog }
        self.qlog = nil
        return nil
    }

    /// Logs what loss detection has just given up.
    func logLosses(_ outcome: borrowing AckOutcome) {
        guard let qlog else { return }
        for index in outcome.lost.indices {
            let packet = outcome.lost[index]
            let level = packet.packet.flags.contains(.earlyData) ? .earlyData : outcome.space.level
            qlog.writeLost(packet, level: level, trigger: lossTrigger(packet.number, outcome.space))
        }
    }

    /// Nil for packets that no other has overtaken: they went with their keys, their path or a Retry.
    private func lossTrigger(_ number: UInt64, _ space: PacketNumberSpace) -> StaticString? {
        guard let largest = loss.largestAcknowledged(space), largest > number else { return nil }
        return largest - number >= loss.threshold.packets ? "reordering_threshold" : "time_threshold"
    }

    // MARK: Changes

    /// Logs what is different from the last time. What is not a packet has no other trace in the log, so that
    /// it need not be told where it happens.
    func logChanges(isReceiving: Bool) {
        guard let qlog else { return }
        logVersion(qlog)
        logKeys(qlog, isReceiving: isReceiving)
        logStage(qlog)
        logPaths(qlog)
        logRecovery(qlog)
    }

    private func logVersion(_ qlog: QlogWriter) {
        if qlog.view.version != identity.version {
            qlog.view.version = identity.version
            qlog.writeVersions([], chosen: identity.version)
        }
        if !qlog.view.isProtocolKnown, let name = applicationProtocol {
            qlog.view.isProtocolKnown = true
            qlog.write(.alpnInformation) { data in
                data.object("chosen_alpn") { $0.field("string_value", text: name) }
            }
        }
    }

    private func logKeys(_ qlog: QlogWriter, isReceiving: Bool) {
        var keys = QlogKeys()
        for level in EncryptionLevel.allCases {
            if protection.canRead(at: level) { keys.read.insert(.level(level)) }
            if protection.canWrite(at: level) { keys.write.insert(.level(level)) }
        }
        if let state = protection.oneRTT?.state {
            keys.phase = state.updateCount
            keys.keepsPrevious = state.previousReadSecret != nil
        }
        guard keys != qlog.view.keys else { return }
        qlog.writeKeys(keys, isPeersUpdate: isReceiving)
    }

    private func logStage(_ qlog: QlogWriter) {
        let (old, new) = (qlog.view.stage, logStage)
        if new != old {
            qlog.writeStages(from: old, to: new)
            qlog.view.stage = new
        }
        guard !qlog.view.isEnded, let closeReason else { return }
        qlog.view.isEnded = true
        qlog.writeClosed(closeReason)
    }

    private var logStage: QlogStage {
        switch lifecycle {
        case .handshaking: protection.handshake.write == nil ? .attempted : .handshakeStarted
        case .established: .complete
        case .confirmed: .confirmed
        case .closing: .closing
        case .draining: .draining
        case .closed: .closed
        }
    }

    private func logPaths(_ qlog: QlogWriter) {
        let old = qlog.view.paths
        for path in paths.all {
            let known = old.first { $0.id == path.id }
            if known == nil { qlog.writeAssigned(path) }
            guard path.id.rawValue != 0, path.id != paths.activeID else { continue }
            if known == nil { qlog.writeMigration("probing_started", path.id) }
            if path.isValidated, known?.isValidated != true {
                qlog.writeMigration("probing_successful", path.id)
            }
        }
        for path in old where !paths.contains(path.id) {
            if !path.isValidated { qlog.writeMigration("probing_abandoned", path.id) }
            qlog.writeAbandoned(path.id)
        }
        logActivePath(qlog)
        qlog.view.paths = paths.all.map { QlogPath(id: $0.id, isValidated: $0.isValidated) }
    }

    private func logActivePath(_ qlog: QlogWriter) {
        let (id, isValidated) = (paths.activeID, paths.active.isValidated)
        let isNew = id != qlog.view.activePath
        if isNew, !isValidated { qlog.writeMigration("migration_started", id) }
        let wasValidated = qlog.view.paths.first { $0.id == id }?.isValidated ?? false
        if isValidated, isNew || (!wasValidated && id.rawValue != 0) {
            qlog.writeMigration("migration_complete", id)
        }
        let size = paths.active.mtu.currentSize
        if qlog.view.datagramSize != size || isNew { qlog.writeDatagramSize(size, on: id) }
        qlog.view.activePath = id
    }

    private func logRecovery(_ qlog: QlogWriter) {
        let path = paths.active
        var metrics = QlogMetrics()
        if path.rtt.hasSample {
            metrics.minimumRTT = path.rtt.minimum
            metrics.smoothedRTT = path.rtt.smoothed
            metrics.latestRTT = path.rtt.latest
            metrics.rttVariation = path.rtt.variation
        }
        metrics.probeTimeouts = UInt64(clamping: loss.ptoCount)
        metrics.window = path.congestion.window
        metrics.bytesInFlight = path.bytesInFlight.count
        let threshold = path.congestion.slowStartThreshold
        if threshold != .max { metrics.slowStartThreshold = threshold }
        if metrics != qlog.view.metrics { qlog.writeMetrics(metrics, on: path.id) }
        if path.congestion.phase != qlog.view.phase { qlog.writePhase(path.congestion.phase, on: path.id) }
    }
}

extension PacketNumberSpace {
    /// The level that packets of the space are mostly of.
    fileprivate var level: EncryptionLevel {
        switch self {
        case .initial: .initial
        case .handshake: .handshake
        case .application: .oneRTT
        }
    }
}
