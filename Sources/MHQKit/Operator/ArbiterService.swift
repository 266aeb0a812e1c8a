import Foundation
import Godwit
import Logging

/// Says which of several copies of a server goes on, from outside of all of them (Specs/server-migration.md 6.6.4).
///
/// What it has granted is in a file before anybody hears of it, so that nobody is granted the same when it is started
/// again. It is for one server: another has epochs of its own.
actor ArbiterService {
    private var arbiter: EpochArbiter
    private let file: String?
    private let logger: Logger

    /// - Parameter file: what was granted before, and is from now on; nil for memory alone.
    /// - Throws: a failure that names the option.
    init(file: String?, _ logger: Logger) throws(Failure) {
        (self.file, self.logger) = (file, logger)
        arbiter = EpochArbiter()
        guard let file, FileManager.default.fileExists(atPath: file) else { return }
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: file))
            arbiter = try JSONDecoder().decode(EpochArbiter.self, from: data)
        } catch {
            throw Failure(ExitCode.dataError, "--state: \(file): is no state of an arbiter's")
        }
    }

    /// Answers a line with a line.
    func answer(_ line: String) -> String {
        do {
            let request = try ArbiterRequest(line: line)
            return try decide(request)
        } catch {
            return OperatorAnswer.failure("grant", error).text
        }
    }

    private func decide(_ request: ArbiterRequest) throws(Failure) -> String {
        var next = arbiter
        let isGranted = next.grant(request.resolution, of: request.epoch, to: request.copy)
        if next != arbiter { try save(next) }
        arbiter = next
        logger.notice(
            "a copy of the server has asked",
            metadata: [
                "epoch": "\(request.epoch)", "resolution": "\(request.resolution)", "granted": "\(isGranted)",
            ])
        var answer = JSONLine()
        answer.add("ok", true)
        answer.add("command", "grant")
        answer.add("granted", isGranted)
        return answer.finished()
    }

    private func save(_ arbiter: EpochArbiter) throws(Failure) {
        guard let file else { return }
        do {
            try JSONEncoder().encode(arbiter).write(to: URL(fileURLWithPath: file), options: .atomic)
        } catch {
            throw Failure(ExitCode.cannotCreate, "--state: \(file): \(FileProblem.describe(error))")
        }
    }
}

/// What a copy asks: whether it may end the plan that way.
struct ArbiterRequest: Hashable, Sendable {
    var resolution: EpochLedger.Resolution
    var epoch: MigrationEpoch
    var copy: EpochArbiter.Copy

    private static let names: KeyValuePairs<String, EpochLedger.Resolution> = [
        "switch": .switched, "cancel": .cancelled,
    ]

    init(_ resolution: EpochLedger.Resolution, of epoch: MigrationEpoch, by copy: EpochArbiter.Copy) {
        (self.resolution, self.epoch, self.copy) = (resolution, epoch, copy)
    }

    /// - Throws: a failure that names the member at fault.
    init(line: String) throws(Failure) {
        var reader = try RequestReader(line)
        let (command, name) = (try reader.string("command"), try reader.string("resolution"))
        guard command == "grant" else {
            throw Failure(ExitCode.dataError, "command: '\(command)' is not grant")
        }
        guard let resolution = Self.names.first(where: { $0.key == name })?.value else {
            throw Failure(ExitCode.dataError, "resolution: '\(name)' is neither switch nor cancel")
        }
        self.resolution = resolution
        epoch = try reader.epoch()
        guard let number = try reader.number("copy") else {
            throw Failure(ExitCode.dataError, "copy: is missing")
        }
        copy = EpochArbiter.Copy(rawValue: number)
        try reader.refuseOthers()
    }

    var line: String {
        var line = JSONLine()
        line.add("command", "grant")
        line.add("resolution", Self.names.first { $0.value == resolution }?.key ?? "")
        line.add("epoch", epoch.rawValue)
        line.add("copy", copy.rawValue)
        return line.finished()
    }
}
