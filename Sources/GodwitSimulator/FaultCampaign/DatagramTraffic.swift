import GodwitCore
import GodwitWire

/// The datagrams of one end of a connection.
struct DatagramTraffic {
    let connection: UInt64
    let role: Role
    private let book: WorkloadBook
    private let plan: DatagramPlan?
    /// Whether the peer takes datagrams at all; nil where it can't be known yet.
    private let isSupported: Bool?
    private var random: DeterministicRandom
    private var next = Instant.distantFuture

    init(
        connection: UInt64, role: Role, book: WorkloadBook, isSupported: Bool?, random: DeterministicRandom
    ) {
        self.connection = connection
        self.role = role
        self.book = book
        self.isSupported = isSupported
        self.random = random
        plan = book.plan(of: connection)?.datagrams
    }

    /// When the next datagram is due.
    var nextDeadline: Instant { book.datagramsToSend(by: role, on: connection) > 0 ? next : .distantFuture }

    mutating func begin(now: Instant) { next = now }

    /// Sends what is due.
    mutating func handleDeadline(
        of connection: SimulatedConnection, _ program: EndpointProgram
    ) {
        while let plan, nextDeadline <= program.now {
            next = program.now + plan.interval
            sendOne(of: connection, plan, program)
        }
    }

    private mutating func sendOne(
        of connection: SimulatedConnection, _ plan: DatagramPlan, _ program: EndpointProgram
    ) {
        let room = connection.maxDatagramSize ?? 0
        let bytes = random.bytes(random.integer(in: 0...min(room, plan.largest)))
        do throws(DatagramError) {
            try connection.sendDatagram(bytes)
            book.noteDatagram(bytes, by: role, on: self.connection)
            if isSupported == false {
                program.complain("\(role): sent a datagram that the peer doesn't take")
            }
        } catch {
            book.noteDatagram(nil, by: role, on: self.connection)
            book.note(.datagramsUnsupported)
            if isSupported == true { program.complain("\(role): a datagram of \(bytes.count) B: \(error)") }
        }
    }

    /// Shows what came to the checkers.
    func receive(of connection: SimulatedConnection, _ program: EndpointProgram) {
        while let bytes = connection.readDatagram() {
            book.note(.datagrams)
            bytes.withUnsafeBytes {
                program.host.report(
                    .datagram(connection: self.connection, sender: role.peer, bytes: $0))
            }
        }
    }
}
