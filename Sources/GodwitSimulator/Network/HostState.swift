import GodwitWire

/// What the network knows of a host.
struct HostState {
    let name: String
    var program: any SimulatedProgram
    var interfaces: [Interface]
    var condition: Condition
    /// What the host's clock shows beyond the network's.
    var clockOffset: TimeSpan
    /// How long datagrams are collected before the program is given them.
    let collecting: TimeSpan
    /// How often a program was started here.
    var starts = 0
    var inbox: ContiguousArray<UInt32> = []
    /// The time of the earliest timer event that counts; events of other times are stale.
    var armed: Instant?
    var random: DeterministicRandom
    private var lastTimer = Instant(nanoseconds: .min)
    private var timersAtOnce = 0

    enum Condition {
        /// Not there yet.
        case waiting
        case running
        case frozen
        /// Gone for good, or stopped by the network because its program ran in circles.
        case removed
    }

    init(
        name: String, program: any SimulatedProgram, interfaces: [Interface], clockOffset: TimeSpan,
        collecting: TimeSpan, random: DeterministicRandom
    ) {
        self.name = name
        self.program = program
        self.interfaces = interfaces
        self.condition = .waiting
        self.clockOffset = clockOffset
        self.collecting = collecting
        self.random = random
    }

    var isRunning: Bool { condition == .running }
    var hasStarted: Bool { condition == .running || condition == .frozen }

    /// A program that is always late would keep the clock from moving on.
    mutating func isSpinning(now: Instant) -> Bool {
        timersAtOnce = lastTimer == now ? timersAtOnce + 1 : 0
        lastTimer = now
        return timersAtOnce >= 1000
    }

    /// How a transmission leaves the host.
    struct Departure {
        var source: NetworkAddress
        var link: LinkID?
        var realm: Int
    }

    /// By the interface that the program named or, if it left that open, the host picks; nil if there is
    /// none.
    func departure(of transmission: SimulatedTransmission) -> Departure? {
        guard let index = interfaceIndex(for: transmission) else { return nil }
        return Departure(
            source: interfaces[index].address, link: interfaces[index].egress(to: transmission.remote),
            realm: Realm.inside(interfaces[index].behind))
    }

    private func interfaceIndex(for transmission: SimulatedTransmission) -> Int? {
        let wanted = transmission.local
        guard wanted.ip.isUnspecified else { return interfaces.firstIndex { $0.address == wanted } }
        return interfaces.firstIndex {
            $0.address.isIPv4 == transmission.remote.isIPv4
                && (wanted.port == 0 || $0.address.port == wanted.port)
        }
    }
}

/// What the network knows of an address translator: its bindings and how it is connected.
struct TranslatorState {
    var translator: AddressTranslator
    let behind: TranslatorID?
    let egress: LinkID?
    let ingress: LinkID?
}
