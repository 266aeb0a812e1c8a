import CGodwitSocket
import GodwitCore
import GodwitCrypto
import GodwitWire
import Logging
import NIOCore

// Sockets that come and go under an endpoint (RFC 9000 section 9), and a process that is frozen and goes on.
extension EndpointLoop {
    /// Opens another socket, to be read from now on.
    func addSocket(
        _ local: NetworkAddress, sharing: SocketDescriptor.Sharing
    ) async throws -> UDPSocket {
        let socket = try await UDPSocket.open(local, sharing: sharing, on: driver.eventLoop)
        return try await driver.run {
            try socket.activate(for: self)
            self.sockets.append(socket)
            return socket
        }
    }

    /// Reads what has come to a socket, and lets go of it.
    func remove(_ socket: UDPSocket) {
        guard let index = sockets.firstIndex(where: { $0 === socket }) else { return }
        socket.readMore(for: self)
        sockets.remove(at: index)
        socket.close()
        markBusy()
    }

    /// Sets all options of all sockets again.
    func reapplySocketOptions() throws(QUICError) {
        for socket in sockets {
            try socket.descriptor.configure()
            socket.sender.usesTrains = socket.descriptor.supportsTrains
        }
    }

    /// A client that has moved leaves the older sockets, but for the last: late datagrams of the peer come to
    /// it.
    func onPathChanged() {
        guard settings.role == .client else { return }
        for socket in sockets.dropLast(2) where !connections.values.contains(where: { $0.uses(socket) }) {
            remove(socket)
        }
    }

    // MARK: Trouble

    /// A socket was closed under us. Another at the same address takes its place, unless the event loop has
    /// closed it because it is shutting down itself: then what is to be done later fails.
    func socketFailed(_ socket: UDPSocket) {
        guard let index = sockets.firstIndex(where: { $0 === socket }) else { return }
        sockets.remove(at: index)
        replaceLater(socket.localAddress, attemptsLeft: 10)
    }

    private func replaceLater(_ address: NetworkAddress, attemptsLeft: Int) {
        let replacement = driver.eventLoop.scheduleTask(in: .milliseconds(100)) {
            guard !self.isClosed else { return }
            self.logger.warning("a socket has failed", metadata: ["address": "\(address)"])
            Task { await self.replace(address, attemptsLeft: attemptsLeft) }
        }
        replacement.futureResult.whenFailure { _ in self.close() }
    }

    private func replace(_ address: NetworkAddress, attemptsLeft: Int) async {
        do {
            _ = try await addSocket(address, sharing: settings.sharing)
        } catch {
            logger.warning("a socket cannot be replaced", metadata: ["error": "\(error)"])
            driver.execute {
                if attemptsLeft > 0 {
                    self.replaceLater(address, attemptsLeft: attemptsLeft - 1)
                } else {
                    self.giveUp(error)
                }
            }
        }
    }

    private func giveUp(_ error: any Error) {
        acceptQueue?.fail(error)
        if sockets.isEmpty { close() }
    }

    // MARK: Freezes

    /// Lets neither time nor datagrams get to the endpoint, and sends nothing, until ``resume(at:)``.
    func hold() {
        guard !isHeld else { return }
        _ = now()
        isHeld = true
        for socket in sockets { socket.setReading(false) }
    }

    /// Goes on, after a freeze or at another local address.
    ///
    /// The clock goes on from where it was held: on another host the machine's clock has nothing to do with
    /// the one before. So for the endpoint no time has passed, and its timers need no shifting.
    func resume(at localAddress: NetworkAddress?) {
        if isHeld {
            clock.resume(at: .now())
            SystemEntropy.discardBoringSSLRandomness()
        }
        alarms.cancelAll()
        endpoint.resume(
            now: now(), frozen: .zero, unixTime: godwit_unix_time(), localAddress: localAddress,
            entropy: Entropy(seed: SystemEntropy.seed()))
        goOn()
    }

    func goOn() {
        let wasHeld = isHeld
        isHeld = false
        if wasHeld {
            // What came during the freeze counts before any timer does.
            for socket in sockets {
                socket.readMore(for: self)
                socket.setReading(true)
            }
        }
        markBusy()
    }
}

extension ConnectionDriver {
    func uses(_ socket: UDPSocket) -> Bool { socket.descriptor.covers(core.localAddress) }
}
