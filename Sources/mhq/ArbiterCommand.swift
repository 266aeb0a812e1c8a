import ArgumentParser
import Logging
import MHQKit

struct Arbiter: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say which of several copies of a server goes on.",
        discussion: """
            mhq arbiter --socket /run/arbiter.sock --state arbiter.json &
            mhq serve --control /run/mhq.sock --arbiter /run/arbiter.sock ...

            Processes that were restored from one image know the same things, so none can tell by itself that it is
            the only one. A server with an arbiter asks it at 'switch' and 'cancel', before anything is sent. The
            first copy that asks goes on; all others stay held. It must run outside of what is checkpointed, and
            there is one for each server.
            """)

    @Option(
        help: ArgumentHelp(
            "Where servers of this user find it: a Unix socket that is made here.", valueName: "path"))
    var socket: String

    @Option(
        help: ArgumentHelp(
            "Where to keep what was granted, so that it holds when the arbiter is started again.",
            valueName: "file"))
    var state: String?

    func run() async throws {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let signals = await WebServerSignal.ofProcess()
        try await ArbiterRun.start(path: socket, state: state).run(signals: signals)
    }
}
