import GodwitCore

/// A train that waits for room.
struct HeldTrain {
    var bytes: [UInt8]
    var transmission: Transmission
}

extension UDPSocket {
    /// Sends a train. What the system has no room for is kept, and the endpoint has to ask again.
    func send(_ train: UnsafeRawBufferPointer, _ transmission: Transmission) -> SendOutcome {
        guard isOpen else { return .sent }
        let outcome = sender.send(train, segmentSize: transmission.segmentSize) { bytes, segmentSize in
            descriptor.send(bytes, segmentSize: segmentSize, transmission)
        }
        if case .blocked(let sent) = outcome {
            held = HeldTrain(bytes: [UInt8](train[sent...]), transmission: transmission)
        }
        return outcome
    }

    /// Sends what had to wait; nil if nothing had.
    func sendHeld() -> (outcome: SendOutcome, transmission: Transmission)? {
        guard let train = held else { return nil }
        held = nil
        return (train.bytes.withUnsafeBytes { send($0, train.transmission) }, train.transmission)
    }
}
