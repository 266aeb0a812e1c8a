import NIOConcurrencyHelpers

/// The event loops of a server, each with a socket and an endpoint of its own.
///
/// The kernel spreads clients over the sockets by their addresses. When a client's address changes, its
/// datagrams may come to another loop than before. A connection id says which loop made it, and the datagram
/// is handed to that one. It need not know the connection, for the number of loops may have changed since the
/// connection came to be, or the connection may have come from another process. So the datagram goes round
/// the ring once, and is treated as unknown by the loop that it first came to.
final class ShardRing: Sendable {
    let loops: [EndpointLoop]
    let mailboxes: [Mailbox]

    /// - Parameter loops: at least two.
    init(_ loops: [EndpointLoop]) {
        self.loops = loops
        mailboxes = loops.map { _ in Mailbox() }
    }
}

/// One event loop's place in the ring.
struct RingPlace: Sendable {
    let ring: ShardRing
    let index: Int

    private var count: Int { ring.loops.count }

    /// Which loop to ask first about a connection id that `shard` is said to have made, and that is not known
    /// here.
    func firstToAsk(for shard: Int) -> Int {
        shard < count && shard != index ? shard : (index + 1) % count
    }

    /// Hands a train to another event loop, unless too much waits there already.
    func handOver(_ train: HandedTrain, to shard: Int) {
        let loop = ring.loops[shard]
        let isFirst = ring.mailboxes[shard].put(train)
        if isFirst { loop.driver.eventLoop.execute { loop.receiveHandedTrains() } }
    }

    /// Hands a train on that belongs to no connection here.
    func passOn(_ train: HandedTrain) {
        var train = train
        train.loopsAsked += 1
        guard train.loopsAsked < count - 1 else { return handOver(train, to: train.origin) }
        let next = (index + 1) % count
        handOver(train, to: next == train.origin ? (next + 1) % count : next)
    }

    func takeHandedTrains() -> ContiguousArray<HandedTrain> { ring.mailboxes[index].takeAll() }
}

/// Datagrams of one connection on their way to another event loop.
struct HandedTrain: Sendable {
    var bytes: [UInt8]
    let segmentSize: Int
    let arrival: Arrival
    /// The event loop whose socket they came to.
    let origin: Int
    /// How many of the others have looked at them.
    var loopsAsked = 0

    init(_ train: UnsafeMutableRawBufferPointer, _ segmentSize: Int, _ arrival: Arrival, origin: Int) {
        bytes = [UInt8](train)
        self.segmentSize = segmentSize
        self.arrival = arrival
        self.origin = origin
    }
}

/// What waits for one event loop.
final class Mailbox: Sendable {
    /// A flood of made-up connection ids must not fill the memory; what finds no room is lost, as in any
    /// queue.
    static let capacity = 256

    private let trains = NIOLockedValueBox<ContiguousArray<HandedTrain>>([])

    /// Returns whether the loop has to be told.
    func put(_ train: HandedTrain) -> Bool {
        trains.withLockedValue { trains in
            guard trains.count < Self.capacity else { return false }
            trains.append(train)
            return trains.count == 1
        }
    }

    var isEmpty: Bool { trains.withLockedValue { $0.isEmpty } }

    func takeAll() -> ContiguousArray<HandedTrain> {
        trains.withLockedValue { trains in
            defer { trains.removeAll() }
            return trains
        }
    }
}
