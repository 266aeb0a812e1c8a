import Foundation
#if !ONE_MODULE
import GodwitWire
#endif

/// Packets of an ACK and a STREAM frame, with numbers of all sizes.
struct PacketPlan {
    var number: UInt64
    var ranges: [AckRange]
    var stream: StreamID
    var offset: UInt64
    var length: Int

    var numberLength: Int { PacketNumber.encodedLength(number, largestAcknowledged: number - 500) }

    static func all() -> [PacketPlan] {
        var seed: UInt64 = 0x9e37_79b9_7f4a_7c15
        func random(_ bits: UInt64) -> UInt64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (seed >> 33) % (1 << bits)
        }
        return (0..<64).map { _ in
            let largest = 100_000 + random(24)
            var ranges = [AckRange(smallest: largest - random(8), largest: largest)]
            for _ in 0..<random(2) {
                let next = ranges.last!.smallest - 2 - random(6)
                ranges.append(AckRange(smallest: next - random(7), largest: next))
            }
            return PacketPlan(
                number: largest + random(10), ranges: ranges, stream: StreamID(rawValue: random(8) * 4),
                offset: random(30), length: 1000 + Int(random(8)))
        }
    }
}

let connectionID = ConnectionID([UInt8](repeating: 7, count: 13))!

/// Writes header and frames as the core does, which fills the data in from its ring.
@inline(never)
func encode(_ plan: borrowing PacketPlan, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    var writer = ByteWriter(buffer)
    _ = ShortHeader.encode(
        destinationID: connectionID, spinBit: false, keyPhase: false, packetNumber: plan.number,
        packetNumberLength: plan.numberLength, into: &writer)
    let counts = ECNCounts(ect0: plan.number)
    if var ack = AckFrameWriter(first: plan.ranges[0], encodedDelay: 100, ecn: counts, into: &writer) {
        for range in plan.ranges.dropFirst() { _ = ack.append(range, into: &writer) }
        ack.finish(into: &writer)
    }
    StreamFrame.encodeHeader(
        id: plan.stream, offset: plan.offset, length: plan.length, fin: false, into: &writer)
    _ = writer.claim(plan.length)
    return writer.count
}

/// Reads header and frames as the core does, and what the core looks at of them.
@inline(never)
func decode(_ packet: UnsafeRawBufferPointer, _ packetNumberLength: Int) -> UInt64 {
    guard let header = ShortHeader.decode(packet, connectionIDLength: 13) else { return 0 }
    let payload = packet[(header.packetNumberOffset + packetNumberLength)...]
    var reader = ByteReader(UnsafeRawBufferPointer(rebasing: payload))
    var sum: UInt64 = 0
    while !reader.isAtEnd {
        guard let frame = try? Frame.decode(&reader, at: .oneRTT) else { return 0 }
        let type = frame.type
        sum &+= FrameType.isAckEliciting(type) ? 1 : 0
        sum &+= FrameType.isProbing(type) ? 1 : 0
        switch frame {
        case .ack(let ack):
            for range in ack.ranges { sum &+= range.smallest ^ range.largest }
            sum &+= ack.ecn?.ect0 ?? 0
        case .stream(let stream): sum &+= stream.id.rawValue ^ stream.endOffset
        default: return 0
        }
    }
    return sum
}

func threadNanoseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

/// The least of several goes, in nanoseconds of CPU a packet.
func measure(_ count: Int, _ body: () -> UInt64) -> (Double, UInt64) {
    var (least, sum) = (Double.infinity, UInt64(0))
    for _ in 0..<9 {
        let start = threadNanoseconds()
        sum = body()
        least = min(least, (threadNanoseconds() - start) / Double(count))
    }
    return (least, sum)
}

/// Encodes all packets again and again.
func measureEncoding(
    _ plans: [PacketPlan], into slices: [UnsafeMutableRawBufferPointer]
) -> (Double, UInt64) {
    measure(goes * plans.count) {
        var sum: UInt64 = 0
        for _ in 0..<goes {
            for index in plans.indices { sum &+= UInt64(encode(plans[index], into: slices[index])) }
        }
        return sum
    }
}

/// Decodes them.
func measureDecoding(_ packets: [UnsafeRawBufferPointer], _ lengths: [Int]) -> (Double, UInt64) {
    measure(goes * packets.count) {
        var sum: UInt64 = 0
        for _ in 0..<goes {
            for index in packets.indices { sum &+= decode(packets[index], lengths[index]) }
        }
        return sum
    }
}

let goes = 20_000
let room = 2048

@main
enum WireBenchmark {
    static func main() {
        let plans = PacketPlan.all()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room * plans.count, alignment: 64)
        defer { buffer.deallocate() }
        let slices = plans.indices.map {
            UnsafeMutableRawBufferPointer(rebasing: buffer[$0 * room..<($0 + 1) * room])
        }
        let (encoding, encoded) = measureEncoding(plans, into: slices)
        let packets = zip(plans, slices).map { plan, slice in
            UnsafeRawBufferPointer(rebasing: slice[..<encode(plan, into: slice)])
        }
        let (decoding, decoded) = measureDecoding(packets, plans.map(\.numberLength))
        let checksum = encoded ^ decoded
        print("{\"decode\": \(decoding), \"encode\": \(encoding), \"checksum\": \"\(checksum)\"}")
    }
}
