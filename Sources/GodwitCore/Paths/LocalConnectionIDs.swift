import GodwitWire

/// A change to the table by which an endpoint finds the connection of a datagram.
enum LocalConnectionIDAction: Codable, Sendable, Equatable {
    /// Datagrams to this id belong to the connection from now on.
    case register(ConnectionID)
    case forget(ConnectionID)
    /// The id that the client chose for its first Initial packets need not lead here any more.
    case forgetOriginal(ConnectionID)
}

/// The connection ids by which the peer addresses us (RFC 9000 section 5.1.1).
///
/// Ids are made by the connection, which has the secrets for them: it asks ``needed(at:)``, hands as many
/// pairs to ``issue(_:resetToken:at:)``, and writes the frames that ``frameToSend`` offers until there are
/// none. Every id lives until the peer retires it, and a while longer, because packets to it may still be on
/// the way.
struct LocalConnectionIDs: Codable, Sendable {
    private enum Delivery: UInt8, Codable, Sendable { case unsent, sent, acknowledged }

    private struct Issued: Codable, Sendable {
        var sequenceNumber: UInt64
        var id: ConnectionID
        var resetToken: StatelessResetToken
        /// What the frame asks for, the same each time it is sent: a peer that had to retire ids for a frame
        /// which it has seen before would get none in exchange.
        var retirePriorTo: UInt64 = 0
        var delivery: Delivery
    }

    private struct Departing: Codable, Sendable {
        var id: ConnectionID
        var until: Instant
        var isOriginal = false

        var action: LocalConnectionIDAction { isOriginal ? .forgetOriginal(id) : .forget(id) }
    }

    /// What the peer has not retired, in the order of sequence numbers.
    private var issued: ContiguousArray<Issued> = []
    private var departing: ContiguousArray<Departing> = []
    private var actions: ContiguousArray<LocalConnectionIDAction> = []
    private var originalDestination: ConnectionID?
    private var nextSequenceNumber: UInt64 = 1
    /// The largest sequence number that the peer can know of.
    private var largestSent: UInt64 = 0
    private(set) var retirePriorTo: UInt64 = 0
    /// Where `retirePriorTo` is to go once the peer has done what the present value asks for.
    private var wantedRetirePriorTo: UInt64 = 0
    private var maximum: Int
    private var limit: Int
    private var peerLimit: UInt64 = 2
    /// What is issued at most, whoever asks for it.
    static let mostIssued = 32
    private var issuance: RateLimit
    /// Whether the peer reaches us without a connection id (RFC 9000 section 5.1).
    let isZeroLength: Bool

    /// - Parameters:
    ///   - initial: the Source Connection ID of our handshake packets, which has sequence number 0.
    ///   - resetToken: the token of that id; a client has none.
    ///   - originalDestination: at a server, the id that the client addressed its first Initial packet to.
    ///   - maximum: how many ids to issue at most, whatever the peer would take.
    init(
        initial: ConnectionID, resetToken: StatelessResetToken? = nil,
        originalDestination: ConnectionID? = nil,
        maximum: Int = 8
    ) {
        self.isZeroLength = initial.isEmpty
        self.originalDestination = originalDestination
        self.maximum = max(2, maximum)
        self.limit = 2
        // Peers with many paths under probe, or that spend an id for every probe, need tens a second; a peer
        // that retires in a loop gets no more than that either.
        self.issuance = RateLimit(burst: 64, interval: .milliseconds(25))
        guard !initial.isEmpty else { return }
        let token = resetToken ?? StatelessResetToken(high: 0, low: 0)
        issued.append(Issued(sequenceNumber: 0, id: initial, resetToken: token, delivery: .acknowledged))
        actions.append(.register(initial))
    }

    // MARK: Issuing

    /// Takes the peer's active_connection_id_limit (RFC 9000 section 18.2).
    mutating func setPeerLimit(_ peerLimit: UInt64) {
        self.peerLimit = peerLimit
        limit = max(2, Int(min(peerLimit, UInt64(maximum))))
    }

    /// Sees to it that the peer has `count` ids besides the one in use, as far as it takes them: it needs one for
    /// every path that it is to open.
    mutating func supply(_ count: Int) {
        maximum = min(max(maximum, count + 1), Self.mostIssued)
        setPeerLimit(peerLimit)
    }

    /// How many ids the peer has besides the one in use, as far as we know.
    var spareCount: Int {
        let known = issued.reduce(0) {
            $1.delivery == .acknowledged && $1.sequenceNumber >= retirePriorTo ? $0 + 1 : $0
        }
        return max(0, known - 1)
    }

    /// Issues the id of the preferred_address transport parameter, sequence number 1 (RFC 9000 section
    /// 5.1.1).
    ///
    /// The transport parameter delivers it, so no frame does.
    mutating func issuePreferredAddressID(_ id: ConnectionID, resetToken: StatelessResetToken) {
        precondition(nextSequenceNumber == 1 && !isZeroLength && !id.isEmpty)
        append(id, resetToken, .acknowledged)
        largestSent = 1
    }

    /// How many ids to issue now: until the peer has as many as it takes, as often as the peer may ask.
    ///
    /// Ids that the peer was told to retire don't count: the same frame that brings it a new one makes room
    /// for it (RFC 9000 section 5.1.1).
    func needed(at now: Instant) -> Int {
        guard !isZeroLength else { return 0 }
        let usable = issued.reduce(0) { $1.sequenceNumber >= retirePriorTo ? $0 + 1 : $0 }
        return max(0, min(limit - usable, issuance.available(at: now)))
    }

    /// Issues an id; false when it was not taken up, because the connection has it already (RFC 9000 section
    /// 5.1) or because more would be issued than ``needed(at:)`` allows.
    @discardableResult
    mutating func issue(_ id: ConnectionID, resetToken: StatelessResetToken, at now: Instant) -> Bool {
        precondition(!isZeroLength && !id.isEmpty)
        guard needed(at: now) > 0, !leadsHere(id), issuance.consume(at: now) else { return false }
        append(id, resetToken, .unsent)
        return true
    }

    private mutating func append(_ id: ConnectionID, _ token: StatelessResetToken, _ delivery: Delivery) {
        issued.append(
            Issued(
                sequenceNumber: nextSequenceNumber, id: id, resetToken: token, retirePriorTo: retirePriorTo,
                delivery: delivery))
        nextSequenceNumber += 1
        actions.append(.register(id))
    }

    /// Asks the peer to retire every id issued so far, as after a thaw: whoever saw them before the freeze
    /// should not recognise the connection by them.
    mutating func retireAllIssued() {
        wantedRetirePriorTo = nextSequenceNumber
        raiseRetirePriorTo()
    }

    /// RFC 9000 section 5.1.2: Retire Prior To should not be raised while the peer still has to retire ids
    /// that the present value covers.
    private mutating func raiseRetirePriorTo() {
        guard wantedRetirePriorTo > retirePriorTo, !isZeroLength else { return }
        if let first = issued.first, first.sequenceNumber < retirePriorTo { return }
        retirePriorTo = wantedRetirePriorTo
    }

    /// Offers the peer one more id than it may hold, in exchange for the oldest (RFC 9000 section 5.1.1).
    ///
    /// A peer that has spent all its ids, and then sees us come from another address, has none left to send
    /// there: not even the frames that would retire the others (section 9.3). So when a new path stays
    /// silent, the side that moved calls this; each time, what was not acknowledged goes out again as well
    /// (section 9.5), because nothing may ever come to show that it was lost. How often it can be done without
    /// the peer retiring anything is bounded, and section 5.1.2's advice against it set aside.
    mutating func offerReplacement() {
        for index in issued.indices where issued[index].delivery == .sent { issued[index].delivery = .unsent }
        let usable = issued.filter { $0.sequenceNumber >= retirePriorTo }
        guard usable.count >= limit, issued.count - usable.count < 2 * limit, let oldest = usable.first else {
            return
        }
        retirePriorTo = oldest.sequenceNumber + 1
        wantedRetirePriorTo = max(wantedRetirePriorTo, retirePriorTo)
    }

    // MARK: Frames

    var hasFrameToSend: Bool { issued.contains { $0.delivery == .unsent } }

    /// The next NEW_CONNECTION_ID frame, to be followed by ``onFrameSent(sequenceNumber:)`` when it was
    /// written.
    var frameToSend: NewConnectionIDFrame? {
        guard let entry = issued.first(where: { $0.delivery == .unsent }) else { return nil }
        return NewConnectionIDFrame(
            sequenceNumber: entry.sequenceNumber, retirePriorTo: entry.retirePriorTo, id: entry.id,
            resetToken: entry.resetToken)
    }

    mutating func onFrameSent(sequenceNumber: UInt64) {
        largestSent = max(largestSent, sequenceNumber)
        setDelivery(.sent, of: sequenceNumber)
    }

    mutating func onFrameAcknowledged(sequenceNumber: UInt64) {
        setDelivery(.acknowledged, of: sequenceNumber)
    }

    mutating func onFrameLost(sequenceNumber: UInt64) {
        guard let index = index(of: sequenceNumber), issued[index].delivery == .sent else { return }
        issued[index].delivery = .unsent
    }

    private mutating func setDelivery(_ delivery: Delivery, of sequenceNumber: UInt64) {
        guard let index = index(of: sequenceNumber) else { return }
        issued[index].delivery = delivery
    }

    private func index(of sequenceNumber: UInt64) -> Int? {
        issued.firstIndex { $0.sequenceNumber == sequenceNumber }
    }

    // MARK: Retirement by the peer

    /// Takes a RETIRE_CONNECTION_ID frame.
    /// - Parameters:
    ///   - destination: the id that the packet with the frame was addressed to.
    ///   - grace: how long packets to the retired id may still be on the way, about three PTOs.
    mutating func receiveRetirement(
        of sequenceNumber: UInt64, destination: ConnectionID, at now: Instant, grace: TimeSpan
    ) throws(TransportError) {
        try check(sequenceNumber, isNot: destination)
        guard let index = index(of: sequenceNumber) else { return }
        let entry = issued.remove(at: index)
        depart(Departing(id: entry.id, until: now + grace))
        raiseRetirePriorTo()
    }

    /// RFC 9000 section 19.16.
    private func check(_ sequenceNumber: UInt64, isNot destination: ConnectionID) throws(TransportError) {
        func violation(_ reason: String) -> TransportError {
            TransportError(.protocolViolation, reason, frameType: FrameType.retireConnectionID)
        }
        if isZeroLength { throw violation("retired an id of an endpoint that has none") }
        if sequenceNumber > largestSent {
            throw violation("retired connection id \(sequenceNumber), never issued")
        }
        if let index = index(of: sequenceNumber), issued[index].id == destination {
            throw violation("retired the connection id of the packet that says so")
        }
    }

    /// The client knows the id that we chose by now, so its own choice is no longer used (RFC 9000 section
    /// 7.2).
    mutating func retireOriginalDestination(at now: Instant, grace: TimeSpan) {
        guard let id = originalDestination else { return }
        originalDestination = nil
        depart(Departing(id: id, until: now + grace, isOriginal: true))
    }

    private mutating func depart(_ entry: Departing) {
        // A peer that retires faster than the grace lets ids go shortens the grace of the oldest.
        if departing.count >= 2 * maximum { actions.append(departing.removeFirst().action) }
        departing.append(entry)
    }

    var deadline: Instant? { departing.lazy.map(\.until).min() }

    mutating func onTimeout(at now: Instant) {
        guard departing.contains(where: { $0.until <= now }) else { return }
        for entry in departing where entry.until <= now { actions.append(entry.action) }
        departing.removeAll { $0.until <= now }
    }

    mutating func resume(shiftedBy span: TimeSpan) {
        for index in departing.indices { departing[index].until += span }
        issuance.shift(by: span)
    }

    /// Gives back memory of lists that are empty.
    mutating func releaseSpareMemory() {
        if actions.isEmpty { actions = [] }
        if departing.isEmpty { departing = [] }
    }

    // MARK: The endpoint's table

    mutating func nextAction() -> LocalConnectionIDAction? { actions.isEmpty ? nil : actions.removeFirst() }

    /// Has every id forgotten, at the end of the connection.
    mutating func forgetAll() {
        actions += issued.lazy.map { .forget($0.id) }
        actions += departing.lazy.map(\.action)
        if let id = originalDestination { actions.append(.forgetOriginal(id)) }
        (issued, departing, originalDestination) = ([], [], nil)
    }

    /// Every id that leads here, the client's original one aside; for rebuilding the table.
    var live: [ConnectionID] { issued.map(\.id) + departing.lazy.filter { !$0.isOriginal }.map(\.id) }

    func sequenceNumber(of id: ConnectionID) -> UInt64? { issued.first { $0.id == id }?.sequenceNumber }

    private func leadsHere(_ id: ConnectionID) -> Bool {
        issued.contains { $0.id == id } || departing.contains { $0.id == id } || originalDestination == id
    }
}
