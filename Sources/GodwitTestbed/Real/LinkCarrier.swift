import Foundation
import GodwitWire
import MHQKit
import NIOConcurrencyHelpers

/// What the thread of a ``UserSpaceLink`` does.
///
/// Clients talk to sockets in front, the server to one behind for each client.
final class LinkCarrier {
    /// Somebody who talks to the server.
    private struct Caller: Hashable {
        var address: NetworkAddress
        var isShaped: Bool
    }

    private struct Back {
        var socket: DatagramSocket
        /// The door that was used last.
        var door: Int
    }

    private struct Flight {
        var due: UInt64
        var datagram: DatagramSocket.Datagram
        var caller: Caller
        var door: Int
        var isToServer: Bool
    }

    private let network: any RelayedNetwork
    private let doors: [LinkDoor]
    private var fronts: [DatagramSocket] = []
    private var lines: LinkLines
    private var backs: [Caller: Back] = [:]
    private var flights: [Flight] = []
    private var descriptors: [Int32] = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

    /// How long to wait when nothing is under way, in nanoseconds.
    private static let patience: Int64 = 50_000_000

    init(_ doors: [LinkDoor], in network: any RelayedNetwork, lines: LinkLines) throws(Failure) {
        (self.doors, self.network, self.lines) = (doors, network, lines)
        for door in doors { fronts.append(try network.openFront(door.front)) }
        noteDescriptors()
    }

    deinit { buffer.deallocate() }

    func close() { (fronts, backs) = ([], [:]) }

    private static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

    private func noteDescriptors() {
        descriptors = fronts.map(\.descriptor) + backs.values.map(\.socket.descriptor)
    }

    /// Waits for something to do, and does it.
    func turn(_ state: NIOLockedValueBox<UserSpaceLink.State>) {
        let next = flights.first.map { Int64(clamping: $0.due) - Int64(clamping: Self.now) }
        DatagramSocket.wait(for: descriptors, min(next ?? Self.patience, Self.patience))
        // Whoever freezes the server under the lock knows that nothing is handed over any more.
        state.withLockedValue { state in
            readFronts(&state)
            readBacks(state)
            land(&state)
        }
    }

    // MARK: In

    private func readFronts(_ state: inout UserSpaceLink.State) {
        for (index, door) in doors.enumerated() {
            while let datagrams = fronts[index].receive(buffer) {
                guard state.place == door.place else {
                    state.lost += datagrams.count
                    continue
                }
                for datagram in datagrams { launch(datagram, through: index, state) }
            }
        }
    }

    private func launch(
        _ datagram: DatagramSocket.Datagram, through index: Int, _ state: UserSpaceLink.State
    ) {
        let (door, now) = (doors[index], Self.now)
        let caller = Caller(address: datagram.peer, isShaped: door.isShaped)
        var due: UInt64? = now
        if door.isShaped {
            guard !state.isApart else { return }
            due = lines.admit(
                toServerAt: door.place, isSwapped: state.isSwapped, size: datagram.bytes.count, now: now)
        }
        guard let due else { return }
        add(Flight(due: due, datagram: datagram, caller: caller, door: index, isToServer: true))
    }

    private func readBacks(_ state: UserSpaceLink.State) {
        for (caller, back) in backs {
            while let datagrams = back.socket.receive(buffer) {
                for datagram in datagrams { launch(datagram, to: caller, back, state) }
            }
        }
    }

    private func launch(
        _ datagram: DatagramSocket.Datagram, to caller: Caller, _ back: Back, _ state: UserSpaceLink.State
    ) {
        guard let index = door(datagram.peer, caller, back) else { return }
        // What a server says from an address that it has left goes nowhere; what it said before it stood still
        // does.
        let (place, now) = (doors[index].place, Self.now)
        guard state.place == nil || state.place == place else { return }
        var due: UInt64? = now
        if caller.isShaped {
            guard !state.isApart else { return }
            due = lines.admit(toClientFrom: place, size: datagram.bytes.count, now: now)
        }
        guard let due else { return }
        add(Flight(due: due, datagram: datagram, caller: caller, door: index, isToServer: false))
    }

    /// The door behind which the server has an address.
    private func door(_ server: NetworkAddress, _ caller: Caller, _ back: Back) -> Int? {
        if doors[back.door].server == server { return back.door }
        return doors.firstIndex { $0.server == server && $0.isShaped == caller.isShaped }
    }

    // MARK: Under way

    private func add(_ flight: Flight) {
        let index = flights.lastIndex { $0.due <= flight.due }.map { $0 + 1 } ?? 0
        flights.insert(flight, at: index)
    }

    /// Hands over what has arrived.
    private func land(_ state: inout UserSpaceLink.State) {
        let now = Self.now
        let count = flights.firstIndex { $0.due > now } ?? flights.count
        for flight in flights[..<count] {
            let datagram = flight.datagram
            if !flight.isToServer {
                guard !state.isApart || !flight.caller.isShaped else { continue }
                fronts[flight.door].send(datagram.bytes, ecn: datagram.ecn, to: flight.caller.address)
            } else if state.place == doors[flight.door].place {
                back(flight)?.send(datagram.bytes, ecn: datagram.ecn, to: doors[flight.door].server)
            } else {
                state.lost += 1
            }
        }
        flights.removeFirst(count)
    }

    private func back(_ flight: Flight) -> DatagramSocket? {
        if let known = backs[flight.caller] {
            backs[flight.caller]?.door = flight.door
            return known.socket
        }
        let (caller, door) = (flight.caller, flight.door)
        guard let made = try? network.openBack(for: caller.address, isShaped: caller.isShaped) else {
            return nil
        }
        backs[caller] = Back(socket: made, door: door)
        noteDescriptors()
        return made
    }
}
