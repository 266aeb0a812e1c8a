import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Connection ids run out while a peer moves (RFC 9000 section 9.5)")
struct ConnectionIDShortageTests {
    private let first = PathID(rawValue: 0)

    /// A server that follows its client to another address, where it has an id of the client's; the client
    /// has called the one of the handshake back and given none in exchange.
    private func moved() throws -> ModelPair {
        var pair = try ModelPair(idLimit: 2)
        let number = UInt64(1 << 20) + 1
        var datagram = pair.client.data(at: .ms(1))!
        datagram.frames.append(
            .newConnectionID(
                NewConnectionIDFrame(
                    sequenceNumber: 1, retirePriorTo: 1, id: Sample.id(number),
                    resetToken: Sample.token(number))))
        try pair.toServer(datagram, as: Sample.cellular, at: .ms(1))
        return pair
    }

    @Test("Without an id for the address before, there is no way back to it (section 9.3.2)")
    func noWayBack() throws {
        var pair = try moved()
        let new = pair.server.paths.activeID
        #expect(new != first && pair.server.paths[first].remoteID == nil)
        for step in Int64(1)...40 {
            pair.server.timeout(at: .ms(100 * step))
            _ = pair.server.probes(at: .ms(100 * step))
        }
        // It was given up by now, and is asked anew.
        #expect(pair.server.paths.activeID == new && !pair.server.isClosed)
        #expect(pair.server.paths.active.validation.state == .running)
        #expect(pair.server.paths.active.remoteID != nil)
    }

    @Test("With an id for it, the address before is where data goes again (section 9.3.2)")
    func wayBack() throws {
        var pair = try ModelPair(idLimit: 2)
        try pair.toServer(pair.client.data(at: .ms(1))!, as: Sample.cellular, at: .ms(1))
        for step in Int64(1)...40 { pair.server.timeout(at: .ms(100 * step)) }
        #expect(pair.server.paths.activeID == first)
    }

    @Test("As long as a new path stays silent, the peer is offered ids again and again (section 5.1.1)")
    func renewedOffers() throws {
        var pair = try ModelPair()
        pair.client.paths.resume(at: .zero, shiftedBy: .zero, localAddress: Sample.cellular)
        for step in Int64(0)...100 { _ = pair.client.probes(at: .ms(100 * step)) }
        let offers = pair.client.actions.filter {
            if case .peerMayLackConnectionID = $0 { true } else { false }
        }
        #expect(offers.count >= 2)
    }

    @Test("An offer brings back what was sent before and not acknowledged (RFC 9000 section 13.3)")
    func repeatedOffer() {
        var ids = LocalConnectionIDs(initial: Sample.id(0))
        ids.setPeerLimit(3)
        for number in UInt64(1)...2 {
            ids.issue(Sample.id(number), resetToken: Sample.token(number), at: .zero)
        }
        for number in UInt64(1)...2 { ids.onFrameSent(sequenceNumber: number) }
        ids.onFrameAcknowledged(sequenceNumber: 1)
        #expect(!ids.hasFrameToSend)
        ids.offerReplacement()
        #expect(ids.frameToSend?.sequenceNumber == 2)
        ids.onFrameSent(sequenceNumber: 2)
        #expect(!ids.hasFrameToSend && ids.needed(at: .zero) == 1)
    }
}
