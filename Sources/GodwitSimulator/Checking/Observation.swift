public import GodwitWire

/// What a program tells the checkers of its network.
///
/// The cases are the points that checkers of this module ask for; ``custom(code:value:)`` is for your own.
/// The numbers of connections and keys are whatever both ends agree on; a test usually counts from 0.
public enum Observation {
    /// A packet was protected with a key.
    case sealed(key: UInt64, packetNumber: UInt64)
    /// The program has reason to believe that its peer really is at that address.
    case addressValidated(NetworkAddress)
    /// Bytes of a stream were handed to the application. The buffer is valid only during the call.
    case received(StreamDirection, offset: UInt64, bytes: UnsafeRawBufferPointer)
    /// The application has seen the end of a stream, behind that many bytes.
    case finished(StreamDirection, size: UInt64)
    /// The application that receives a stream has learnt that its sender has given it up.
    case reset(StreamDirection, code: UInt64)
    /// The application that sends a stream has learnt that its receiver wants no more of it.
    case stopped(StreamDirection, code: UInt64)
    /// The application that sends a stream has learnt that all of it has arrived.
    case acknowledged(StreamDirection)
    /// A datagram of a connection was handed to the application. The buffer is valid only during the call.
    case datagram(connection: UInt64, sender: Role, bytes: UnsafeRawBufferPointer)
    /// Something that has a bound was measured.
    case measured(StaticString, value: UInt64, bound: UInt64)
    /// A connection is over, or a part of it that both ends agree on; equal outcomes are equal strings.
    case ended(connection: UInt64, role: Role, outcome: String)
    /// Something that a checker of your own understands.
    case custom(code: UInt64, value: UInt64)
}

/// One direction of a stream of a connection.
public struct StreamDirection: Hashable, Sendable {
    /// The number of the connection.
    public var connection: UInt64
    /// The id of the stream.
    public var stream: UInt64
    /// The end that sends.
    public var sender: Role

    /// What `sender` sends on that stream of that connection.
    public init(connection: UInt64, stream: UInt64, sender: Role) {
        self.connection = connection
        self.stream = stream
        self.sender = sender
    }
}

extension StreamDirection: CustomStringConvertible {
    /// `connection 0, stream 4, sent by client`.
    public var description: String { "connection \(connection), stream \(stream), sent by \(sender)" }
}
