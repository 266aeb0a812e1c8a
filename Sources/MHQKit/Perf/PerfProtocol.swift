import Foundation

/// The exchange that `mhq perf` measures, one a stream: the client names how many bytes it wants (8 bytes, big-endian),
/// sends what it has to upload and ends; the server answers with so many bytes.
package enum PerfProtocol {
    package static let applicationProtocol = "mhq-perf"
    package static let requestSize = 8
    /// Asks for the CPU time of the server's process instead: 8 bytes, microseconds.
    package static let cpuTime = UInt64.max
    /// Asks for the memory that the server's process has in use: 8 bytes, bytes.
    package static let memory = UInt64.max - 1

    /// The resident memory of this process in bytes, 0 where the system does not tell.
    package static var processMemory: UInt64 {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (UInt64(fields[1]) ?? 0) * UInt64(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    /// The CPU time of this process, user and system together.
    package static var processCPUTime: Duration {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
        return .seconds(seconds) + .microseconds(microseconds)
    }
}

extension Duration {
    /// As a floating-point number of seconds.
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
    package var inMicroseconds: UInt64 { UInt64(max(0, inSeconds * 1e6)) }
}
