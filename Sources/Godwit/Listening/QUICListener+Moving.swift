public import GodwitWire
import Logging
import NIOConcurrencyHelpers

// A server whose addresses change, or whose process is frozen and goes on.
extension QUICListener {
    /// Moves the listener, and with it every connection, to another local address. The sockets there are open
    /// before the old ones are closed; if they can't be opened nothing changes.
    ///
    /// QUIC has no way to tell clients of it: they find the server only if datagrams to the old address still
    /// reach it, or if they were told by other means.
    ///
    /// - Throws: ``QUICError/socket(_:)`` if the address can't be had.
    public func rebind(to address: NetworkAddress) async throws {
        let sockets = try await bindSockets(to: address)
        for (loop, socket) in zip(loops, sockets) {
            await loop.driver.run {
                loop.resume(at: socket.localAddress)
                for old in loop.sockets where old !== socket { loop.remove(old) }
            }
        }
        state.withLockedValue { $0.localAddress = sockets[0].localAddress }
        configuration.logger.info("listening elsewhere", metadata: ["address": "\(sockets[0].localAddress)"])
    }

    /// Stops time and traffic for every connection, because the process is about to be frozen: until
    /// ``resume(at:)`` nothing is read or sent, and no timer comes up.
    public func hold() async {
        for loop in loops { await loop.driver.run { loop.hold() } }
    }

    /// Goes on after ``hold()``, here or where the process was carried to. To connections it is as if no time
    /// had passed. All random choices are made from fresh randomness: a copy of the process may be running
    /// elsewhere.
    ///
    /// - Parameter address: where to listen from now on; nil if the sockets have survived.
    /// - Throws: ``QUICError/socket(_:)`` if the address can't be had; then the listener is still held.
    public func resume(at address: NetworkAddress? = nil) async throws {
        if let address { return try await rebind(to: address) }
        try await reapplySocketOptions()
        for loop in loops { await loop.driver.run { loop.resume(at: nil) } }
    }

    /// Sets all options of the sockets again, which may not have survived a freeze.
    ///
    /// - Throws: ``QUICError/socket(_:)`` if an option can't be set that the protocol can't do without.
    public func reapplySocketOptions() async throws {
        for loop in loops { try await loop.driver.run { try loop.reapplySocketOptions() } }
    }
}
