import NIOConcurrencyHelpers

/// Those who want to hear of events: each gets all that happen after it came.
///
/// Its lock is taken when somebody comes or goes, and for each event; never for a packet.
final class EventAudience<Event: Sendable>: Sendable {
    private struct State {
        var members: [UInt64: AsyncStream<Event>.Continuation] = [:]
        var nextMember: UInt64 = 0
        var isOver = false
    }

    private let state = NIOLockedValueBox(State())

    /// How many events wait at most for one who doesn't keep up.
    private static var capacity: Int { 8192 }

    deinit { end() }

    /// A stream, and what to join with.
    static func makeSeat() -> (AsyncStream<Event>, AsyncStream<Event>.Continuation) {
        AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(capacity))
    }

    /// What happens from now on.
    func join() -> AsyncStream<Event> {
        let (stream, member) = Self.makeSeat()
        join(member)
        return stream
    }

    /// Has a member told what happens from now on.
    func join(_ member: AsyncStream<Event>.Continuation) {
        let number: UInt64? = state.withLockedValue { state in
            guard !state.isOver else { return nil }
            state.nextMember += 1
            state.members[state.nextMember] = member
            return state.nextMember
        }
        guard let number else { return member.finish() }
        member.onTermination = { [weak self] _ in
            self?.state.withLockedValue { $0.members[number] = nil }
        }
    }

    func tell(_ event: Event) {
        let members = state.withLockedValue { Array($0.members.values) }
        for member in members { member.yield(event) }
    }

    /// There will be no more.
    func end() {
        let members = state.withLockedValue { state in
            state.isOver = true
            defer { state.members = [:] }
            return Array(state.members.values)
        }
        for member in members { member.finish() }
    }
}
