import GodwitWire

/// The connection ids by which we address the peer (RFC 9000 section 5.1.2).
///
/// A path takes one with ``take(isUrgent:)`` and keeps it for itself (section 9.5); ``release(_:)`` gives it
/// up: an id that was sent with is retired, one that never was goes back to the pool. The peer can force ids
/// out of use, so whoever holds one asks ``contains(_:)`` after every frame received.
struct RemoteConnectionIDs: Codable, Sendable {
    private struct Entry: Codable, Sendable {
        var sequenceNumber: UInt64
        var id: ConnectionID
        var resetToken: StatelessResetToken?
        var isTaken = false
        /// A second id with sequence number 0; see `toleratesRepeatedZero`.
        var isRepeatedZero = false
        /// Where packets with this id have gone: one address, unless the peer moved under it.
        var remotes: ContiguousArray<NetworkAddress> = []
    }

    private struct Retirement: Codable, Sendable {
        var sequenceNumber: UInt64
        var isSent = false
    }

    /// In the order of sequence numbers, unless the network changed it.
    private var active: ContiguousArray<Entry> = []
    /// RETIRE_CONNECTION_ID frames that the peer has not acknowledged.
    private var retirements: ContiguousArray<Retirement> = []
    /// Every sequence number received, active or not.
    private var seen = OffsetRanges()
    private var tokenChanges: ContiguousArray<ResetTokenChange> = []
    private(set) var retirePriorTo: UInt64 = 0
    private var hasRepeatedZero = false
    /// Our active_connection_id_limit.
    let limit: Int
    /// Some programs number the ids of their NEW_CONNECTION_ID frames from 0 again, though the id of the
    /// handshake has that number already. With this flag such an id is taken up as one more.
    let toleratesRepeatedZero: Bool

    /// - Parameter handshakeID: the id that the peer chose for the handshake, or that a client made up for a
    ///   server that it has not heard of yet.
    init(handshakeID: ConnectionID, limit: Int = 16, toleratesRepeatedZero: Bool = false) {
        self.limit = max(2, limit)
        self.toleratesRepeatedZero = toleratesRepeatedZero
        active.append(Entry(sequenceNumber: 0, id: handshakeID))
        seen.insert(0..<1)
    }

    /// Whether the peer wants no connection id at all. Then every path uses the empty one.
    var isZeroLength: Bool { active.first.map(\.id.isEmpty) ?? false }
    /// How many ids could be taken.
    var availableCount: Int { active.reduce(0) { $1.isTaken ? $0 : $0 + 1 } }
    var activeCount: Int { active.count }
    /// Whether ids were given up for which the peer may not have issued others yet.
    var awaitsAcknowledgement: Bool { !retirements.isEmpty }

    // MARK: The handshake

    /// Takes the id of the peer's first packet or Retry in place of the one used so far (RFC 9000 section
    /// 7.2).
    mutating func replaceHandshakeID(_ id: ConnectionID) {
        guard let index = active.firstIndex(where: { $0.sequenceNumber == 0 && !$0.isRepeatedZero }) else {
            return
        }
        active[index].id = id
    }

    /// Takes the stateless_reset_token transport parameter, which belongs to the id of the handshake.
    mutating func setHandshakeResetToken(_ token: StatelessResetToken) {
        guard let index = active.firstIndex(where: { $0.sequenceNumber == 0 && !$0.isRepeatedZero }) else {
            return
        }
        active[index].resetToken = token
        if !active[index].remotes.isEmpty { tokenChanges.append(.remember(token)) }
    }

    /// Takes the id of the preferred_address transport parameter: sequence number 1 (RFC 9000 section 5.1.1).
    mutating func addPreferredAddressID(_ id: ConnectionID, resetToken: StatelessResetToken)
        throws(TransportError)
    {
        guard !isZeroLength, !id.isEmpty else {
            throw TransportError(.transportParameterError, "a preferred address without a connection id")
        }
        guard !active.contains(where: { $0.id == id }) else {
            throw TransportError(.transportParameterError, "the preferred address repeats a connection id")
        }
        active.append(Entry(sequenceNumber: 1, id: id, resetToken: resetToken))
        seen.insert(1..<2)
    }

    // MARK: NEW_CONNECTION_ID

    mutating func receive(_ frame: NewConnectionIDFrame) throws(TransportError) {
        try checkShape(frame)
        if try isKnown(frame) {
            // The frame may be known and yet ask for more than when it was first seen.
            retireAll(below: frame.retirePriorTo)
        } else {
            // RFC 9000 section 5.1.2: the old ids go before the new one joins.
            retireAll(below: frame.retirePriorTo)
            add(frame)
        }
        try checkBounds()
    }

    private func checkShape(_ frame: NewConnectionIDFrame) throws(TransportError) {
        // RFC 9000 section 19.15.
        guard !isZeroLength else {
            throw Self.error(.protocolViolation, "a connection id from an endpoint that wants none")
        }
        guard frame.retirePriorTo <= frame.sequenceNumber, !frame.id.isEmpty else {
            throw Self.error(.frameEncodingError, "malformed NEW_CONNECTION_ID")
        }
    }

    /// Whether the frame's id was received before. A repeated frame is no error, a contradiction is (RFC 9000
    /// section 19.15).
    private func isKnown(_ frame: NewConnectionIDFrame) throws(TransportError) -> Bool {
        if let entry = active.first(where: { $0.id == frame.id }) {
            let tokenFits = entry.resetToken == nil || entry.resetToken == frame.resetToken
            guard entry.sequenceNumber == frame.sequenceNumber, tokenFits else {
                throw Self.error(.protocolViolation, "one connection id with two meanings")
            }
            return true
        }
        guard seen.contains(frame.sequenceNumber) else { return false }
        if frame.sequenceNumber == 0, toleratesRepeatedZero { return hasRepeatedZero }
        guard !active.contains(where: { $0.sequenceNumber == frame.sequenceNumber }) else {
            throw Self.error(.protocolViolation, "two connection ids with one sequence number")
        }
        return true
    }

    private mutating func add(_ frame: NewConnectionIDFrame) {
        var entry = Entry(sequenceNumber: frame.sequenceNumber, id: frame.id, resetToken: frame.resetToken)
        if frame.sequenceNumber == 0 { (entry.isRepeatedZero, hasRepeatedZero) = (true, true) }
        seen.insert(frame.sequenceNumber..<frame.sequenceNumber + 1)
        // RFC 9000 section 19.15: an id that was overtaken by the request to retire it.
        if frame.sequenceNumber < retirePriorTo { queueRetirement(of: entry) } else { active.append(entry) }
    }

    private mutating func retireAll(below bound: UInt64) {
        guard bound > retirePriorTo else { return }
        retirePriorTo = bound
        for entry in active where entry.sequenceNumber < bound { queueRetirement(of: entry) }
        active.removeAll { $0.sequenceNumber < bound }
    }

    private func checkBounds() throws(TransportError) {
        guard active.count <= limit else {
            throw Self.error(
                .connectionIDLimitError, "\(active.count) active connection ids, \(limit) allowed")
        }
        // RFC 9000 section 5.1.2: not acknowledged are at least twice the limit allowed; more is the peer's
        // doing.
        guard retirements.count <= 4 * limit else {
            throw Self.error(.connectionIDLimitError, "too many connection ids to retire at once")
        }
        guard seen.count <= 4 * limit else {
            throw Self.error(.connectionIDLimitError, "too many gaps in the numbers of connection ids")
        }
    }

    private static func error(_ code: TransportErrorCode, _ reason: String) -> TransportError {
        TransportError(code, reason, frameType: FrameType.newConnectionID)
    }

    // MARK: Use

    /// An id that no path has, for a path that needs one; nil when there is none left.
    ///
    /// - Parameter isUrgent: whether the path carries the connection. Others get none while so many
    ///   retirements are unacknowledged that paths which come and go would pile up more (RFC 9000 section
    ///   5.1.2).
    mutating func take(isUrgent: Bool = false) -> ConnectionID? {
        if isZeroLength { return .empty }
        guard isUrgent || retirements.count < 2 * limit,
            let index = active.firstIndex(where: { !$0.isTaken })
        else { return nil }
        active[index].isTaken = true
        return active[index].id
    }

    /// Takes the id of the handshake for the first path.
    mutating func takeHandshakeID() -> ConnectionID {
        active[0].isTaken = true
        return active[0].id
    }

    func contains(_ id: ConnectionID) -> Bool { active.contains { $0.id == id } }

    func sequenceNumber(of id: ConnectionID) -> UInt64? { active.first { $0.id == id }?.sequenceNumber }

    /// Notes that a packet with this id goes to `remote`: from now on the id's token is good from there.
    mutating func onUse(of id: ConnectionID, to remote: NetworkAddress) {
        guard let index = active.firstIndex(where: { $0.id == id }),
            !active[index].remotes.contains(remote)
        else { return }
        // Only a peer that keeps moving under one id gets here often; the oldest address is the least likely.
        if active[index].remotes.count >= 8 { active[index].remotes.removeFirst() }
        let isFirstUse = active[index].remotes.isEmpty
        active[index].remotes.append(remote)
        if isFirstUse, let token = active[index].resetToken { tokenChanges.append(.remember(token)) }
    }

    /// Gives up an id that no path uses any more.
    mutating func release(_ id: ConnectionID) {
        guard !isZeroLength, let index = active.firstIndex(where: { $0.id == id }) else { return }
        guard !active[index].remotes.isEmpty else {
            active[index].isTaken = false
            return
        }
        queueRetirement(of: active.remove(at: index))
    }

    private mutating func queueRetirement(of entry: Entry) {
        if let token = entry.resetToken, !entry.remotes.isEmpty { tokenChanges.append(.forget(token)) }
        // Its frame would name the id of the handshake.
        if entry.isRepeatedZero { return }
        retirements.append(Retirement(sequenceNumber: entry.sequenceNumber))
    }

    // MARK: RETIRE_CONNECTION_ID

    /// The sequence number for the next RETIRE_CONNECTION_ID frame, to be followed by
    /// ``onRetirementSent(sequenceNumber:)`` when it was written.
    var retirementToSend: UInt64? { retirements.first { !$0.isSent }?.sequenceNumber }

    mutating func onRetirementSent(sequenceNumber: UInt64) { markRetirement(sequenceNumber, isSent: true) }

    mutating func onRetirementLost(sequenceNumber: UInt64) { markRetirement(sequenceNumber, isSent: false) }

    mutating func onRetirementAcknowledged(sequenceNumber: UInt64) {
        retirements.removeAll { $0.sequenceNumber == sequenceNumber }
    }

    private mutating func markRetirement(_ sequenceNumber: UInt64, isSent: Bool) {
        guard let index = retirements.firstIndex(where: { $0.sequenceNumber == sequenceNumber }) else {
            return
        }
        retirements[index].isSent = isSent
    }

    // MARK: Stateless reset

    /// Whether a datagram from `remote` that ends in `token` is a stateless reset: only if the token belongs
    /// to an id that is in use and went to that address (RFC 9000 section 10.3.1).
    ///
    /// Every id is looked at, so that the time taken tells nothing about the tokens.
    func isStatelessReset(_ token: StatelessResetToken, from remote: NetworkAddress) -> Bool {
        active.reduce(false) { found, entry in
            let fits = entry.resetToken.map { $0 == token } ?? false
            let wentThere = entry.remotes.contains(remote)
            return found || (fits && wentThere)
        }
    }

    /// The tokens of ids in use; for rebuilding the endpoint's table.
    var knownTokens: [StatelessResetToken] { active.filter { !$0.remotes.isEmpty }.compactMap(\.resetToken) }

    mutating func nextTokenChange() -> ResetTokenChange? {
        tokenChanges.isEmpty ? nil : tokenChanges.removeFirst()
    }

    /// Has the endpoint forget every token, at the end of the connection.
    mutating func forgetAllTokens() {
        for index in active.indices where !active[index].remotes.isEmpty {
            active[index].remotes = []
            if let token = active[index].resetToken { tokenChanges.append(.forget(token)) }
        }
    }
}

/// A change to the table by which an endpoint finds the connection of a stateless reset, which no id leads
/// to.
///
/// What the table finds is still to be checked with ``RemoteConnectionIDs/isStatelessReset(_:from:)``.
enum ResetTokenChange: Codable, Sendable, Equatable {
    case remember(StatelessResetToken)
    case forget(StatelessResetToken)
}
