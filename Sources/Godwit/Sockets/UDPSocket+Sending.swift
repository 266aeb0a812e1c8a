import CGodwitSocket
import GodwitCore
import GodwitWire

/// What became of a train.
enum SendOutcome: Equatable {
    case sent
    /// The system had no room. The socket keeps what is left and has to be asked to try again.
    case blocked
    /// It could not be sent, or not all of it; to the transport it is lost.
    case dropped
    /// Datagrams of that size don't fit the path; the others were sent.
    case tooLarge(Int)
}

/// A train that waits for room.
struct HeldTrain {
    var bytes: [UInt8]
    var transmission: Transmission
}

extension UDPSocket {
    func send(_ train: UnsafeRawBufferPointer, _ transmission: Transmission) -> SendOutcome {
        guard isOpen else { return .dropped }
        guard usesTrains, train.count > transmission.segmentSize else { return sendOneByOne(train, transmission) }
        let problem = sendTrain(train, transmission)
        if problem == 0 { return .sent }
        if SystemError.isTransient(problem) { return hold(train, transmission) }
        guard SystemError.mayBlameTrain(problem) else { return drop(problem) }
        let outcome = sendOneByOne(train, transmission)
        // The datagrams were fine, so trains are what the system doesn't take.
        if outcome == .sent { usesTrains = false }
        return outcome
    }

    /// Sends what had to wait. Returns the outcome, or nil when there was nothing.
    func sendHeld() -> (outcome: SendOutcome, transmission: Transmission)? {
        guard let held else { return nil }
        self.held = nil
        let outcome = held.bytes.withUnsafeBytes { send($0, held.transmission) }
        return (outcome, held.transmission)
    }

    private func sendTrain(_ train: UnsafeRawBufferPointer, _ transmission: Transmission) -> CInt {
        let problem = descriptor.send(train, segmentSize: transmission.segmentSize, transmission)
        // The error was an earlier datagram's, and this one was not sent.
        return SystemError.isHint(problem)
            ? descriptor.send(train, segmentSize: transmission.segmentSize, transmission) : problem
    }

    private func sendOneByOne(_ train: UnsafeRawBufferPointer, _ transmission: Transmission) -> SendOutcome {
        var outcome = SendOutcome.sent
        var rest = train[...]
        while !rest.isEmpty {
            let datagram = UnsafeRawBufferPointer(rebasing: rest.prefix(transmission.segmentSize))
            let problem = sendDatagram(datagram, transmission)
            if SystemError.isTransient(problem) { return hold(UnsafeRawBufferPointer(rebasing: rest), transmission) }
            if SystemError.isMessageTooLarge(problem) {
                outcome = .tooLarge(datagram.count)
            } else if problem != 0 {
                return drop(problem)
            }
            rest = rest.dropFirst(datagram.count)
        }
        return outcome
    }

    private func sendDatagram(_ datagram: UnsafeRawBufferPointer, _ transmission: Transmission) -> CInt {
        let problem = descriptor.send(datagram, segmentSize: nil, transmission)
        return SystemError.isHint(problem) ? descriptor.send(datagram, segmentSize: nil, transmission) : problem
    }

    private func hold(_ train: UnsafeRawBufferPointer, _ transmission: Transmission) -> SendOutcome {
        held = HeldTrain(bytes: [UInt8](train), transmission: transmission)
        return .blocked
    }

    private func drop(_ problem: CInt) -> SendOutcome {
        lastProblem = problem
        return .dropped
    }
}
