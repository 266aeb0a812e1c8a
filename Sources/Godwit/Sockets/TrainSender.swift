/// What became of a train.
enum SendOutcome: Equatable {
    case sent
    /// The system has no room, with so many bytes sent.
    case blocked(sent: Int)
    /// The system refuses what is left, with this errno; to the transport it is lost.
    case refused(CInt)
    /// Datagrams of that size don't fit the path; the others were sent.
    case tooLarge(Int)
}

/// Sends trains by whatever calls the system takes.
struct TrainSender {
    /// Whether the system takes trains, or only single datagrams.
    var usesTrains: Bool

    /// - Parameters:
    ///   - segmentSize: the size of each datagram but the last.
    ///   - call: sends bytes, as a train if it is given the segment size; returns the errno, or 0.
    mutating func send(
        _ train: UnsafeRawBufferPointer, segmentSize: Int, _ call: (UnsafeRawBufferPointer, Int?) -> CInt
    ) -> SendOutcome {
        guard usesTrains, train.count > segmentSize else { return sendOneByOne(train, segmentSize, call) }
        let problem = attempt(train, segmentSize, call)
        if problem == 0 { return .sent }
        if SystemError.isTransient(problem) { return .blocked(sent: 0) }
        guard SystemError.mayBlameTrain(problem) else { return .refused(problem) }
        let outcome = sendOneByOne(train, segmentSize, call)
        // The datagrams were fine, so trains are what the system doesn't take.
        if outcome == .sent { usesTrains = false }
        return outcome
    }

    private func sendOneByOne(
        _ train: UnsafeRawBufferPointer, _ segmentSize: Int, _ call: (UnsafeRawBufferPointer, Int?) -> CInt
    ) -> SendOutcome {
        var outcome = SendOutcome.sent
        var rest = train[...]
        while !rest.isEmpty {
            let datagram = UnsafeRawBufferPointer(rebasing: rest.prefix(segmentSize))
            let problem = attempt(datagram, nil, call)
            if SystemError.isTransient(problem) { return .blocked(sent: train.count - rest.count) }
            if SystemError.isMessageTooLarge(problem) {
                outcome = .tooLarge(datagram.count)
            } else if problem != 0 {
                return .refused(problem)
            }
            rest = rest.dropFirst(datagram.count)
        }
        return outcome
    }

    /// What an earlier datagram has met on its way is reported in place of sending this one, so there is a
    /// second attempt.
    private func attempt(
        _ bytes: UnsafeRawBufferPointer, _ segmentSize: Int?, _ call: (UnsafeRawBufferPointer, Int?) -> CInt
    ) -> CInt {
        let problem = call(bytes, segmentSize)
        return SystemError.isHint(problem) ? call(bytes, segmentSize) : problem
    }
}
