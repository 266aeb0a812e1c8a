/// Where the parts of a packet under construction are, as offsets from the start of the writer's buffer.
@frozen
public struct PacketLayout: Hashable, Sendable {
    /// Where the packet begins.
    public var packetOffset: Int
    /// Where the two bytes of the Length field are; nil for a short header, which has none.
    public var lengthOffset: Int?
    /// Where the packet number begins. The sample for header protection begins 4 bytes behind (RFC 9001
    /// section 5.4.2).
    public var packetNumberOffset: Int
    /// How many bytes the packet number takes, 1 to 4.
    public var packetNumberLength: Int

    /// A layout from its parts.
    @inlinable
    public init(packetOffset: Int, lengthOffset: Int?, packetNumberOffset: Int, packetNumberLength: Int) {
        self.packetOffset = packetOffset
        self.lengthOffset = lengthOffset
        self.packetNumberOffset = packetNumberOffset
        self.packetNumberLength = packetNumberLength
    }

    /// Where the frames begin. All before it is what the AEAD authenticates.
    @inlinable
    public var payloadOffset: Int { packetNumberOffset + packetNumberLength }

    /// Sets the Length field once all frames are written; `tagLength` bytes will follow them.
    ///
    /// The field has two bytes, so packet number, payload and tag together are below 16,384 bytes.
    @inlinable
    public func fillInLength(in writer: ByteWriter, tagLength: Int = 16) {
        guard let lengthOffset else { return }
        writer.patchTwoByteVarint(writer.count + tagLength - packetNumberOffset, at: lengthOffset)
    }
}
