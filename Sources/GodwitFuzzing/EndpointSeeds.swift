import GodwitWire

// Stories to begin with: whole exchanges, and each frame on its own in the middle of one.
extension EndpointFuzzing {
    static func seeds(against role: Role) -> [[UInt8]] {
        stories(against: role) + frameStories(role) + handshakeStories
    }

    private static func stories(against role: Role) -> [[UInt8]] {
        let exchange = FuzzScript.step(.exchange, details: 3)
        let wait = FuzzScript.step(.wait, details: 7)
        let write = FuzzScript.step(.application, details: 2, [0, 1, 2, 3, 4])
        let migrate = FuzzScript.step(role == .client ? .application : .peerApplication, details: 9)
        let update = FuzzScript.step(.peerApplication, details: 8)
        return [
            begin([], 0) + exchange + wait,
            begin(.traffic, 4) + exchange + write + FuzzScript.step(.loss) + wait + exchange,
            begin([.traffic, .smallWindows], 3) + exchange + wait + exchange,
            begin([.retry, .version2], 0) + exchange + exchange,
            begin([.resumption, .traffic, .datagrams], 0) + exchange + wait,
            begin([.preferredAddress, .traffic], 5) + migrate + exchange + wait + exchange,
            begin(.traffic, 5) + update + exchange + write + update + exchange,
            begin(.traffic, 5) + FuzzScript.step(.freeze, details: 200, [1]) + wait + exchange,
            begin(.traffic, 2) + FuzzScript.step(.garbledExchange, details: 40, [1, 2]) + wait + exchange,
            begin(.traffic, 4) + FuzzScript.step(.replay, details: 2)
                + FuzzScript.step(.replay, details: 0, [1]),
            begin([], 0) + FuzzScript.step(.longHeader, details: 0x80, [0xc0, 0, 0, 0x44, 0xb0]) + exchange,
            begin([], 0) + FuzzScript.step(.longHeader, [0xf0, 0, 1, 2, 3, 4]) + exchange,
            begin([], 0) + FuzzScript.step(.longHeader, [0x80, 2, 0x6b, 0x33, 0x43, 0xcf]) + exchange,
            begin(.datagrams, 5)
                + FuzzScript.step(.datagram, [0x40] + [UInt8](repeating: 5, count: 40)) + exchange,
            [FuzzScript.Beginning.parameters.rawValue, 0, 5, 0x0a, 1, 20, 0x04, 0] + exchange + wait,
        ]
    }

    private static func frameStories(_ role: Role) -> [[UInt8]] {
        FrameFuzzing.samples(at: .oneRTT).map {
            begin([.traffic, .datagrams], 5) + FuzzScript.step(.packet, $0) + FuzzScript.step(.exchange)
        } + [
            begin(.traffic, 5)
                + FuzzScript.step(.packetFromElsewhere, details: 0x13, [0x01, 0x1a, 1, 2, 3, 4, 5, 6, 7, 8])
                + FuzzScript.step(.exchange) + FuzzScript.step(.packetFromElsewhere, details: 0x25, [0x01])
        ]
    }

    private static var handshakeStories: [[UInt8]] {
        let frames = FrameFuzzing.samples(at: .initial)
        return frames.map { begin([], 1) + FuzzScript.step(.initialPacket, $0) + FuzzScript.step(.exchange) }
            + frames.map { begin([], 2) + FuzzScript.step(.handshakePacket, $0) + FuzzScript.step(.exchange) }
            + [
                begin(.resumption, 0) + FuzzScript.step(.earlyPacket, [0x08, 0, 1, 2])
                    + FuzzScript.step(.exchange)
            ]
    }

    private static func begin(_ beginning: FuzzScript.Beginning, _ headStart: UInt8) -> [UInt8] {
        [beginning.rawValue, headStart]
    }
}
