import Foundation
import GodwitHTTP3
import NIOPosix

/// The work of `mhq demo`.
public struct DemoRun: Sendable {
    private let options: DemoOptions

    /// A demo.
    public init(_ options: DemoOptions) { self.options = options }

    /// Shows it.
    ///
    /// - Parameters:
    ///   - signals: those that end it early.
    ///   - write: takes a line of output, without its end.
    /// - Returns: the exit code: 0 if nothing was lost, 1 if something was, 128 and the number of a signal.
    /// - Throws: a ``Failure`` when there could be no demo.
    public func run(signals: AsyncStream<Int32>, write: @escaping @Sendable (String) -> Void) async throws
        -> Int32
    {
        try await withThrowingTaskGroup(of: Int32?.self) { tasks in
            tasks.addTask { try await self.show(write) }
            tasks.addTask {
                for await signal in signals { return 128 + signal }
                return nil
            }
            while let code = try await tasks.next() {
                guard let code else { continue }
                tasks.cancelAll()
                // What was begun has to be put away.
                while (try? await tasks.next()) != nil {}
                return code
            }
            return ExitCode.software
        }
    }

    private func show(_ write: @escaping @Sendable (String) -> Void) async throws -> Int32 {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let result: Result<Int32, any Error>
        do { result = .success(try await show(on: group, write)) } catch { result = .failure(error) }
        try? await group.shutdownGracefully()
        return try result.get()
    }

    private func show(
        on group: MultiThreadedEventLoopGroup, _ write: @escaping @Sendable (String) -> Void
    ) async throws -> Int32 {
        let capture = try options.captureFile.map { path throws(Failure) in try DatagramCapture(path: path) }
        let keyLog = try options.keyLog.map { path throws(Failure) in try KeyLog(path: path) }
        if !options.writesJSON { write(headline) }
        let scene = DemoScene()
        let display = DemoDisplay(scene, isLive: Terminal.isStandardErrorTerminal)
        let drawing = Task { await display.run() }
        let rows: [DemoRow]
        do {
            rows = try await self.rows(scene, group, capture, keyLog)
        } catch {
            drawing.cancel()
            await drawing.value
            throw error
        }
        drawing.cancel()
        await drawing.value
        try capture?.finish()
        let report = DemoReport(options: options, rows: rows)
        for line in report.lines { write(line) }
        if options.writesJSON { for fault in report.faults { Terminal.write("mhq: \(fault)\n") } }
        return rows.allSatisfy(\.isGood) ? 0 : 1
    }

    private func rows(
        _ scene: DemoScene, _ group: MultiThreadedEventLoopGroup, _ capture: DatagramCapture?,
        _ keyLog: KeyLog?
    ) async throws -> [DemoRow] {
        let strategies = options.isControl ? [.control] : options.strategies
        var rows: [DemoRow] = []
        for (index, strategy) in strategies.enumerated() {
            let part = 1 / Double(strategies.count)
            let round = DemoRound(
                options: options, strategy: strategy, scene: scene, group: group, capture: capture,
                keyLog: keyLog,
                share: (Double(index) * part, part))
            let row = try await round.run()
            rows.append(row)
            scene.change { $0.finished.append(DemoReport.summary(of: row)) }
        }
        return rows
    }

    private var headline: String { DemoReport.headline(options) }
}
