import Foundation
import MHQKit

/// What has come of the runs that have ended, a file each, until all have and the results are whole.
///
/// Whoever is interrupted, however hard, has lost the runs that were under way and nothing else: records appear under
/// their names only when they are whole.
final class RunJournal {
    /// The lines that a run adds, by the file that they belong to.
    typealias Lines = [String: [String]]

    private let folder: URL
    private let lock: Int32

    /// Opens or begins the journal of a plan.
    ///
    /// - Throws: a failure when it can't be written, is another plan's, or somebody else is writing it.
    init(in place: URL, plan: ExperimentPlan) throws(Failure) {
        folder = place.appendingPathComponent(".journal-experiment\(plan.experiment)")
        try Self.makeFolder(folder)
        lock = try Self.lock(folder.appendingPathComponent("lock"), of: place)
        do { try check(plan, place) } catch {
            close(lock)
            throw error
        }
    }

    deinit { close(lock) }

    static func makeFolder(_ url: URL) throws(Failure) {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw Failure(ExitCode.cannotCreate, "--out: \(url.path): can't be made")
        }
    }

    /// The system gives the lock back however a process ends.
    private static func lock(_ url: URL, of place: URL) throws(Failure) -> Int32 {
        let descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Failure(ExitCode.cannotCreate, "--out: \(place.path): can't be written to")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Failure(
                ExitCode.unavailable, "--out: \(place.path): another mhq is writing this experiment there")
        }
        return descriptor
    }

    private func check(_ plan: ExperimentPlan, _ place: URL) throws(Failure) {
        let mark = url("plan")
        guard let other = try? String(contentsOf: mark, encoding: .utf8) else {
            return try write(Data(plan.digest.utf8), to: mark)
        }
        guard other == plan.digest else {
            throw Failure(
                ExitCode.configuration,
                "--out: \(place.path) holds results of experiment \(plan.experiment) by another plan or seed; "
                    + "choose another folder, or remove \(folder.path)")
        }
    }

    private func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

    // MARK: Records

    /// What came of a run; nil when it has not ended.
    func lines(of index: Int) -> Lines? {
        guard let data = try? Data(contentsOf: url("\(index).json")) else { return nil }
        return try? JSONDecoder().decode(Lines.self, from: data)
    }

    func add(_ lines: Lines, of index: Int) throws {
        try write(try JSONEncoder().encode(lines), to: url("\(index).json"))
    }

    private func write(_ data: Data, to url: URL) throws(Failure) {
        try WholeFile.write(data, to: url.path)
    }

    // MARK: The end

    /// Whether all runs have ended and the results are whole.
    var isComplete: Bool { FileManager.default.fileExists(atPath: url("complete").path) }

    /// The results need no records any more.
    func complete(_ count: Int) throws {
        try write(Data(), to: url("complete"))
        for index in 0..<count { try? FileManager.default.removeItem(at: url("\(index).json")) }
    }

    /// Somebody took results away, so all has to be done again.
    func reopen() { try? FileManager.default.removeItem(at: url("complete")) }
}

/// Files that are there whole or not at all, whatever befalls whoever writes them.
enum WholeFile {
    static func write(_ data: Data, to path: String) throws(Failure) {
        // Always the same name, so that what is left of one who was killed is overwritten.
        let partial = path + ".partial"
        do {
            try data.write(to: URL(fileURLWithPath: partial))
        } catch {
            throw Failure(ExitCode.cannotCreate, "--out: \(path): can't be written")
        }
        guard rename(partial, path) == 0 else {
            throw Failure(ExitCode.ioError, "--out: \(path): can't be written")
        }
    }
}
