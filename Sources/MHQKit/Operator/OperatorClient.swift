import Foundation

/// An operator's end of the Unix socket.
public struct OperatorClient: Sendable {
    private let path: String
    private let timeout: Duration
    private let option: String

    /// - Parameters:
    ///   - path: where the server's socket is.
    ///   - timeout: how long to wait for an answer.
    public init(path: String, timeout: Duration = .seconds(10)) {
        self.init(path: path, timeout: timeout, option: "--control")
    }

    /// - Parameter option: how the user named the socket.
    init(path: String, timeout: Duration, option: String) {
        (self.path, self.timeout, self.option) = (path, timeout, option)
    }

    /// Sends a request and waits for the answer, on the calling thread.
    ///
    /// - Returns: the answer's line.
    /// - Throws: a failure when there is nobody, or no answer.
    public func ask(_ request: String) throws(Failure) -> String {
        guard let descriptor = Self.connect(to: path) else {
            let remedy =
                option == "--control" ? "mhq serve --control \(path)" : "mhq arbiter --socket \(path)"
            throw Failure(ExitCode.unavailable, "\(option): \(path): no server listens there (\(remedy))")
        }
        defer { close(descriptor) }
        limit(descriptor)
        guard Self.send(Array((request + "\n").utf8), to: descriptor) else {
            throw Failure(ExitCode.ioError, "\(option): \(path): \(String(cString: strerror(errno)))")
        }
        return try receive(from: descriptor)
    }

    /// A socket that is connected; nil if nobody listens at the path.
    static func connect(to path: String) -> Int32? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let isShort = withUnsafeMutableBytes(of: &address.sun_path) { place in
            guard path.utf8.count < place.count else { return false }
            place.copyBytes(from: path.utf8)
            return true
        }
        guard isShort else { return nil }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    private func limit(_ descriptor: Int32) {
        var span = timeval(tv_sec: Int(timeout.components.seconds) + 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &span, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &span, socklen_t(MemoryLayout<timeval>.size))
    }

    private static func send(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private func receive(from descriptor: Int32) throws(Failure) -> String {
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while answer.last != 0x0a {
            let count = piece.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let reason = count == 0 ? "the server went away" : "no answer within \(timeout)"
                throw Failure(ExitCode.unavailable, "\(option): \(path): \(reason)")
            }
            answer += piece[..<count]
        }
        return String(decoding: answer.dropLast(), as: UTF8.self)
    }
}
