import GodwitWire
import Logging

/// What an endpoint loop and its connections are told by the application.
struct EndpointSettings: Sendable {
    var role: Role
    /// With what streams are reset whose task was cancelled or whose handle was dropped.
    var cancellationCode: UInt64
    var logger: Logger
    var metrics: QUICMetrics
    /// How the endpoint's sockets share their address.
    var sharing: SocketDescriptor.Sharing
    /// Sees every datagram; nobody by default.
    var tap: (any DatagramTap)?
}
