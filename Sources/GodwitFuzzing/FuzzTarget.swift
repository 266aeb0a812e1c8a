import GodwitWire

/// What bytes are thrown at. An input in which something is wrong stops the process, as a trap would.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// The headers of a datagram's packets.
    case packets
    /// The frames of a packet.
    case frames
    /// A peer's transport parameters.
    case parameters
    /// A server, and what a client or anybody else may send it.
    case server
    /// A client, and what a server or anybody else may send it.
    case client
    /// What a server says of its moves.
    case migration
    /// A machine of HTTP/3 of either role, and what may come on its streams.
    case http3
    /// The encoder and the decoder of QPACK.
    case qpack

    /// Tries one input.
    public func run(_ input: UnsafeRawBufferPointer) {
        switch self {
        case .packets: PacketFuzzing.run(input)
        case .frames: FrameFuzzing.run(input)
        case .parameters: ParameterFuzzing.run(input)
        case .server: EndpointFuzzing.run(input, against: .server)
        case .client: EndpointFuzzing.run(input, against: .client)
        case .migration: MigrationFuzzing.run(input)
        case .http3: HTTP3Fuzzing.run(input)
        case .qpack: QPACKFuzzing.run(input)
        }
    }

    /// Inputs to begin with: what well-behaved peers send.
    public var seeds: [[UInt8]] {
        switch self {
        case .packets: PacketFuzzing.seeds
        case .frames: FrameFuzzing.seeds
        case .parameters: ParameterFuzzing.seeds
        case .server: EndpointFuzzing.seeds(against: .server)
        case .client: EndpointFuzzing.seeds(against: .client)
        case .migration: MigrationFuzzing.seeds
        case .http3: HTTP3Fuzzing.seeds
        case .qpack: QPACKFuzzing.seeds
        }
    }
}

/// Stops the process when something that holds for every input does not hold. A precondition would not say what in
/// an optimized build.
func require(_ condition: Bool, _ rule: StaticString) {
    if !condition { fatalError("\(rule)") }
}
