import GodwitHTTP3Core
import GodwitWire

// Stories to begin with: whole exchanges, and each kind of frame in the middle of one.
extension HTTP3Fuzzing {
    static var seeds: [[UInt8]] {
        let beginnings: [HTTP3Script.Beginning] = [[.settled], [.settled, .client]]
        return beginnings.flatMap(stories) + beginnings.flatMap(frames) + others + recorded
    }

    private static let exchange = HTTP3Script.step(.exchange)

    /// Requests with and without content, in the words of the machines.
    private static func stories(_ beginning: HTTP3Script.Beginning) -> [[UInt8]] {
        let isClient = beginning.contains(.client)
        let client = isClient ? HTTP3Script.Action.application : .peerApplication
        let server = isClient ? HTTP3Script.Action.peerApplication : .application
        let fields: [UInt8] = [9, 4, 1, 2, 3, 4, 3, 3, 65, 66, 67, 0x21, 2, 70, 71]
        let get = HTTP3Script.step(client, 0x80, fields) + exchange
        let post = HTTP3Script.step(client, 0x01, fields) + HTTP3Script.step(client, 0x88, [1, 2, 3])
        let answer = HTTP3Script.step(server, 0x06, fields) + HTTP3Script.step(server, 0x08, [5, 5, 5])
        let trailers = HTTP3Script.step(server, 0x09, fields)
        return [
            get + answer + HTTP3Script.step(server, 0x0a) + exchange, post + exchange + answer + exchange,
            get + HTTP3Script.step(server, 0x05, fields) + answer + trailers + exchange,
            get + get + answer + HTTP3Script.step(client, 0x1b) + exchange,
            get + HTTP3Script.step(server, 0x0e) + get + HTTP3Script.step(server, 0x8e) + get + exchange,
            get + answer + HTTP3Script.step(client, 0x0d, [1]) + exchange + HTTP3Script.step(server, 0x0b),
            HTTP3Script.step(client, 0x02 | 0x80) + exchange + HTTP3Script.step(server, 0x87, [11, 1, 57])
                + exchange,
            tunnel(client, server),
        ].map { [beginning.rawValue] + $0 }
            + [[beginning.union([.extensions]).rawValue] + tunnel(client, server)]
    }

    private static func tunnel(_ client: HTTP3Script.Action, _ server: HTTP3Script.Action) -> [UInt8] {
        HTTP3Script.step(client, 0x03) + HTTP3Script.step(client, 0x04) + exchange
            + HTTP3Script.step(server, 0x06) + HTTP3Script.step(server, 0x16) + exchange
            + HTTP3Script.step(client, 0x08, [1, 2, 3]) + HTTP3Script.step(.datagram, 0, [1, 9, 9]) + exchange
    }

    private static func frames(_ beginning: HTTP3Script.Beginning) -> [[UInt8]] {
        let isClient = beginning.contains(.client)
        let get = HTTP3Script.step(isClient ? .application : .peerApplication, 0x80) + exchange
        return (0..<10).flatMap { type in
            [UInt8(0), 8].map { stream in
                [beginning.rawValue] + get + HTTP3Script.step(.frame, stream, [type, 4]) + exchange
            }
        }
    }

    private static var others: [[UInt8]] {
        let get = HTTP3Script.step(.peerApplication, 0x80, [9, 4, 1, 2, 3, 4])
        let small = HTTP3Script.Beginning.smallLimits.rawValue
        let post = HTTP3Script.step(
            .fieldSection, 0, [16, 0x9e, 17, 0x81, 18, 0x82, 19, 0x83, 11, 0x87, 12, 0x86, 29, 0x8d])
        let piece = HTTP3Script.step(.piece, 0, [UInt8](repeating: 0, count: 9))
        return [
            [0] + get + piece + piece + exchange, [small] + get + get + get + get + exchange,
            [small] + get + piece + HTTP3Script.step(.reset, 0) + exchange,
            [8] + get + HTTP3Script.step(.garbledPiece, 0, [0, 0, 0, 0, 4, 4, 4]) + exchange,
            [17] + HTTP3Script.step(.application, 0x80) + exchange,
            [8] + post + HTTP3Script.step(.frame, 0, [0, 1, 2, 3, 4])
                + HTTP3Script.step(.fieldSection, 0x80, [9, 0x82]),
            [8] + HTTP3Script.step(.fieldSection, 0x80, [16, 0x85, 18, 0x90]) + exchange,
            [9] + HTTP3Script.step(.application, 0x80) + HTTP3Script.step(.fieldSection, 0, [21, 0x89])
                + HTTP3Script.step(.fieldSection, 0x80, [21, 0x84]),
            [0] + HTTP3Script.step(.streamOpened, 8) + HTTP3Script.step(.stopSending, 8)
                + HTTP3Script.step(.bytes, 0x09, [0x21, 5]) + HTTP3Script.step(.answer, 3) + exchange,
        ]
    }

    /// What machines of both roles say, as bytes that mutations can get at.
    private static var recorded: [[UInt8]] {
        [Role.client, .server].map { sender in
            var machine = FuzzedMachine(sender, [])
            let call = FuzzedCall(0x81, [9, 4, 1, 2, 3, 4, 11, 1, 0x30], nextRequest: 0)
            let request = sender == .client ? machine.makeCall(call).bytes : []
            let begin = sender == .client ? [HTTP3Script.Beginning.silentPeer] : [.silentPeer, .client]
            let steps = machine.takePendingBytes(atMost: .max).flatMap { id, bytes in
                HTTP3Script.step(.bytes, UInt8(truncatingIfNeeded: 8 + id.index), bytes)
            }
            return [HTTP3Script.Beginning(begin).rawValue] + steps + HTTP3Script.step(.bytes, 0, request)
        }
    }
}
