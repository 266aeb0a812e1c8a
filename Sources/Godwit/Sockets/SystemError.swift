import CGodwitSocket

/// The errors of system calls that mean something to us.
enum SystemError {
    /// The address to send from may be one that this host does not have.
    static func mayBlameSource(_ number: CInt) -> Bool {
        number == EINVAL || number == ENETUNREACH || number == EADDRNOTAVAIL
    }

    /// The send buffer is full; there will be room again.
    static func isTransient(_ number: CInt) -> Bool {
        number == EAGAIN || number == EWOULDBLOCK || number == ENOBUFS
    }

    /// What may be wrong with a train as such, while its datagrams are fine one by one: the device cannot
    /// compute checksums for it (EIO), the kernel knows no trains or finds this one too long (EINVAL), or the
    /// datagrams are too large for the path, which older kernels call EINVAL as well.
    static func mayBlameTrain(_ number: CInt) -> Bool {
        number == EIO || number == EINVAL || number == EMSGSIZE || number == EOPNOTSUPP
    }

    static func isAddressInUse(_ number: CInt) -> Bool { number == EADDRINUSE }

    static func isMessageTooLarge(_ number: CInt) -> Bool { number == EMSGSIZE }

    /// What an earlier datagram has met on its way (ICMP), reported with the next one. A hint, and forgeable.
    static func isHint(_ number: CInt) -> Bool {
        number == ECONNREFUSED || number == EHOSTUNREACH || number == ENETUNREACH || number == ECONNRESET
    }

    /// This host knows of no way to the address, or of none that is allowed.
    ///
    /// It is the system's own word on the datagram at hand. Of ICMP messages, which anyone can forge, sockets that are
    /// not connected hear nothing unless they ask for an error queue, and an event loop takes a socket with something
    /// in that queue for a broken one: then whoever forges a message could close it.
    static func saysUnreachable(_ number: CInt) -> Bool {
        number == ENETUNREACH || number == EHOSTUNREACH || number == ECONNREFUSED
    }

    static func describe(_ number: CInt) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { text in
            godwit_describe_errno(number, text.baseAddress, text.count)
            return String(cString: text.baseAddress!)
        }
    }
}
