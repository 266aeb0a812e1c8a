#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The calendar's time, which certificates and tickets go by. Nothing in the transport does.
enum WallClock {
    /// Seconds since 1970.
    @Sendable
    static func now() -> Int64 { Int64(time(nil)) }
}
