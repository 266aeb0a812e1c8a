/// A CONNECTION_CLOSE frame of either kind (RFC 9000 section 19.19).
@frozen
public struct ConnectionCloseFrame {
    /// True for type 0x1d, whose code is the application's.
    public var isApplication: Bool
    public var errorCode: UInt64
    /// The type of the frame that was at fault; 0 when unknown and for application closes.
    public var frameType: UInt64
    public var reason: UnsafeRawBufferPointer

    @inlinable
    public init(isApplication: Bool, errorCode: UInt64, frameType: UInt64, reason: UnsafeRawBufferPointer) {
        self.isApplication = isApplication
        self.errorCode = errorCode
        self.frameType = frameType
        self.reason = reason
    }
}
