import GodwitWire

/// A datagram on its way.
struct Datagram {
    /// Where a datagram is bound for when it comes out of the link that it is on.
    enum Step {
        /// The place in a realm where addresses are looked up.
        case realm(Int)
        case host(UInt32, interface: Int)
        case translator(UInt32)
        case attacker(UInt32)
    }

    /// Counts the datagrams that programs sent; copies keep the number of their original.
    var serial: UInt64 = 0
    var source = NetworkAddress(ip: .anyIPv6, port: 0)
    var destination = NetworkAddress(ip: .anyIPv6, port: 0)
    var ecn: ECNCodepoint = .notECT
    var step = Step.realm(0)
    fileprivate(set) var size = 0
    fileprivate var storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: storage[..<size]) }

    /// The size of the IP packet: what links count.
    var packetSize: Int { size + UDPHeader.overhead(isIPv4: destination.isIPv4) }
}

/// Every datagram that is on its way, by slot. Slots and their memory are used again, so that a network
/// allocates only while the number of datagrams under way still grows.
struct DatagramPool: ~Copyable {
    private var datagrams: ContiguousArray<Datagram> = []
    private var freeSlots: ContiguousArray<UInt32> = []

    /// Most datagrams fit an Ethernet frame.
    private static var smallestCapacity: Int { 2048 }

    var countInUse: Int { datagrams.count - freeSlots.count }

    subscript(slot: UInt32) -> Datagram {
        get { datagrams[Int(slot)] }
        _modify { yield &datagrams[Int(slot)] }
    }

    /// A slot that holds a copy of `payload`; its other fields are those of whatever used the slot before.
    mutating func insert(_ payload: UnsafeRawBufferPointer) -> UInt32 {
        let slot = takeSlot()
        reserve(payload.count, in: Int(slot))
        datagrams[Int(slot)].size = payload.count
        datagrams[Int(slot)].bytes.copyMemory(from: payload)
        return slot
    }

    /// A second slot with the same datagram.
    mutating func duplicate(_ slot: UInt32) -> UInt32 {
        let original = datagrams[Int(slot)]
        let copy = insert(UnsafeRawBufferPointer(original.bytes))
        datagrams[Int(copy)].serial = original.serial
        datagrams[Int(copy)].source = original.source
        datagrams[Int(copy)].destination = original.destination
        datagrams[Int(copy)].ecn = original.ecn
        datagrams[Int(copy)].step = original.step
        return copy
    }

    mutating func free(_ slot: UInt32) { freeSlots.append(slot) }

    private mutating func takeSlot() -> UInt32 {
        if let slot = freeSlots.popLast() { return slot }
        datagrams.append(Datagram())
        return UInt32(datagrams.count - 1)
    }

    private mutating func reserve(_ count: Int, in slot: Int) {
        guard datagrams[slot].storage.count < count || datagrams[slot].storage.baseAddress == nil else {
            return
        }
        datagrams[slot].storage.deallocate()
        datagrams[slot].storage = .allocate(byteCount: max(count, Self.smallestCapacity), alignment: 16)
    }

    deinit {
        for datagram in datagrams { datagram.storage.deallocate() }
    }
}

/// What UDP and IP put in front of a payload.
enum UDPHeader {
    static let ipv4Size = 20
    static let ipv6Size = 40
    static let udpSize = 8

    static func overhead(isIPv4: Bool) -> Int { udpSize + (isIPv4 ? ipv4Size : ipv6Size) }
}
