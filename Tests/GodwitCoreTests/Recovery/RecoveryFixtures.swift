import Foundation
import GodwitWire
import Testing

@testable import GodwitCore

func at(ms milliseconds: Int64) -> Instant { Instant.zero + .milliseconds(milliseconds) }
func ms(_ count: Int64) -> TimeSpan { .milliseconds(count) }

extension PathID {
    static let first = PathID(rawValue: 0)
    static let second = PathID(rawValue: 1)
}

extension SentPacket.Flags {
    static let data: SentPacket.Flags = [.ackEliciting, .inFlight]
}

/// One end of a connection as far as recovery goes: what a conductor does with the rooms, by the book.
struct RecoverySender {
    var loss = LossDetection()
    var outcome = AckOutcome()
    var rtt: RTTEstimator
    var context: LossContext

    init(initialRTT: TimeSpan = RTTEstimator.defaultInitialRTT, maxAckDelay: TimeSpan = ms(25)) {
        rtt = RTTEstimator(initialRTT: initialRTT)
        context = LossContext(
            path: .first, rtt: rtt, maxAckDelay: maxAckDelay, handshakeConfirmed: true,
            peerCompletedAddressValidation: true, hasHandshakeKeys: true, canSend: true)
    }

    /// A sender whose path answers after exactly `rtt`.
    static func withSample(_ rtt: TimeSpan, at now: Instant = .zero, maxAckDelay: TimeSpan = ms(25)) -> Self {
        var sender = RecoverySender(maxAckDelay: maxAckDelay)
        sender.rtt.addSample(
            rtt, ackDelay: .zero, now: now, handshakeConfirmed: true, maxAckDelay: maxAckDelay)
        sender.context.rtt = sender.rtt
        return sender
    }

    mutating func send(
        _ numbers: ClosedRange<UInt64>, at now: Instant, space: PacketNumberSpace = .application,
        path: PathID = .first, size: UInt16 = 1200, flags: SentPacket.Flags = .data,
        frames: SentFrameList = []
    ) {
        for number in numbers {
            let packet = SentPacket(timeSent: now, path: path, size: size, flags: flags)
            loss.onPacketSent(space, packetNumber: number, packet, frames: frames)
        }
    }

    mutating func send(
        _ number: UInt64, at now: Instant, space: PacketNumberSpace = .application, path: PathID = .first,
        size: UInt16 = 1200, flags: SentPacket.Flags = .data, frames: SentFrameList = []
    ) {
        send(number...number, at: now, space: space, path: path, size: size, flags: flags, frames: frames)
    }

    /// Receives an ACK frame with the ranges, newest first.
    mutating func acknowledge(
        _ ranges: ClosedRange<UInt64>..., at now: Instant, space: PacketNumberSpace = .application,
        delay: TimeSpan = .zero, ecn: ECNCounts? = nil
    ) throws {
        try acknowledge(ranges: ranges, at: now, space: space, delay: delay, ecn: ecn)
    }

    mutating func acknowledge(
        ranges: [ClosedRange<UInt64>], at now: Instant, space: PacketNumberSpace = .application,
        delay: TimeSpan = .zero, ecn: ECNCounts? = nil
    ) throws {
        try AckFrame.withRanges(ranges, ecn: ecn) { ack in
            try loss.receiveAck(
                ack, space: space, ackDelay: delay, now: now, context: context, into: &outcome)
        }
        if let sample = outcome.rttSample, sample.path == context.path {
            rtt.addSample(sample, now: now, context: context)
            context.rtt = rtt
        }
    }

    mutating func timeOut(at now: Instant) -> LossTimeoutAction {
        loss.onTimeout(now: now, context, into: &outcome)
    }

    var deadline: Instant? { loss.deadline(context)?.time }
    var timer: LossTimer? { loss.deadline(context)?.timer }
    var ackedNumbers: [UInt64] { outcome.acked.map(\.number) }
    var lostNumbers: [UInt64] { outcome.lost.map(\.number) }
}

/// Ranges of one number each, every second one downwards.
func everySecondNumber(from largest: UInt64, count: UInt64) -> [ClosedRange<UInt64>] {
    stride(from: 0, to: 2 * count, by: 2).map { step in
        let number = largest - step
        return number...number
    }
}

/// Writes a value and reads it back.
func roundTrip<T: Codable>(_ value: T) throws -> T {
    try JSONDecoder().decode(T.self, from: JSONEncoder().encode(value))
}

/// What a value looks like when written, for comparing values that are not `Equatable`.
func written(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// Expects `body` to end the connection with `code`.
func expectTransportError(_ code: TransportErrorCode, _ body: () throws -> Void) {
    #expect {
        try body()
    } throws: { error in
        (error as? TransportError)?.code == code
    }
}

/// Text to be read as a value.
struct JSONText {
    var text: String

    init(_ text: String) { self.text = text }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}

/// A small generator of numbers that look random and are always the same.
struct TestRandom {
    var state: UInt64

    mutating func below(_ bound: UInt64) -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state % bound
    }
}
