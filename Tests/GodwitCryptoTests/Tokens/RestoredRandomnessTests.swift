#if os(Linux)
internal import CNIOBoringSSL
import GodwitCrypto
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// BoringSSL keeps the state of a thread's generator to itself. It is found by what the first draw on a new
/// thread leaves behind, so that a test can put an earlier state back as restoring an image of the process
/// does.
@Suite("BoringSSL's randomness in two copies of a process")
struct RestoredRandomnessTests {
    // Holds: W15
    @Test(
        "Copies draw different numbers from the first one on, once each has thrown away what it had",
        arguments: [1, 2, 4095, 4096, 5000])
    func copies(drawsBefore: Int) throws {
        let streams = try onNewThread {
            let generator = try ThreadGenerator()
            for _ in 1..<drawsBefore { draw() }
            let image = generator.state
            return (0..<3).map { _ in
                generator.state = image
                SystemEntropy.discardBoringSSLRandomness()
                return (0..<20).flatMap { _ in draw() }
            }
        }
        #expect(Set(streams.map { $0.prefix(8) }).count == 3 && Set(streams).count == 3)
    }

    @Test("What the copies share is what the numbers come from: each draw changes it")
    func stateCounts() throws {
        let states = try onNewThread {
            let generator = try ThreadGenerator()
            return (0..<20).map { _ in
                draw()
                return generator.state
            }
        }
        #expect(Set(states).count == 20)
    }
}

@discardableResult
private func draw() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 8)
    _ = RAND_bytes(&bytes, bytes.count)
    return bytes
}

/// The generator of a thread that has not drawn before.
private struct ThreadGenerator {
    struct NotFound: Error {}

    private let memory: UnsafeMutableRawBufferPointer

    /// Draws once, and looks for what that has made: a table for the thread, and in it one pointer. Before
    /// what it points to stands its size.
    init() throws {
        let before = Self.threadValues
        draw()
        let tables = Self.threadValues.filter { before[$0.key] == nil }.map(\.value)
        let states = tables.flatMap { table in
            (0..<5).compactMap { table.load(fromByteOffset: $0 * 8, as: UnsafeMutableRawPointer?.self) }
        }
        guard tables.count == 1, states.count == 1 else { throw NotFound() }
        let size = states[0].load(fromByteOffset: -8, as: Int.self)
        guard 64..<4096 ~= size else { throw NotFound() }
        memory = UnsafeMutableRawBufferPointer(start: states[0], count: size)
    }

    private static var threadValues: [UInt32: UnsafeMutableRawPointer] {
        var values: [UInt32: UnsafeMutableRawPointer] = [:]
        for key in 0..<1024 as Range<UInt32> { values[key] = pthread_getspecific(key) }
        return values
    }

    var state: [UInt8] {
        get { [UInt8](memory) }
        nonmutating set { memory.copyBytes(from: newValue) }
    }
}

/// Runs `body` on a thread of its own and waits for it.
private func onNewThread(_ body: @escaping () throws -> [[UInt8]]) throws -> [[UInt8]] {
    let work = ThreadWork(body)
    var thread = pthread_t()
    let failure = pthread_create(
        &thread, nil,
        { argument in
            Unmanaged<ThreadWork>.fromOpaque(argument!).takeUnretainedValue().run()
            return nil
        }, Unmanaged.passUnretained(work).toOpaque())
    precondition(failure == 0)
    pthread_join(thread, nil)
    return try work.outcome!.get()
}

private final class ThreadWork {
    private let body: () throws -> [[UInt8]]
    private(set) var outcome: Result<[[UInt8]], any Error>?

    init(_ body: @escaping () throws -> [[UInt8]]) { self.body = body }

    func run() { outcome = Result { try body() } }
}
#endif
