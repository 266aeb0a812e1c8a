import GodwitHTTP3
import NIOConcurrencyHelpers

/// What servers have given out for later connections. Each is good for one.
final class SessionStore: Sendable {
    private let resumptions: NIOLockedValueBox<[HTTP3Origin: [HTTP3Resumption]]>

    /// How many are kept of a server.
    private static let capacity = 8
    /// How long to wait for the first of a connection that is done: it may be on its way behind the answer.
    private static let patience = Duration.milliseconds(200)

    init(_ stored: [(HTTP3Origin, HTTP3Resumption)] = []) {
        resumptions = NIOLockedValueBox(
            Dictionary(grouping: stored, by: \.0).mapValues { $0.map(\.1) })
    }

    /// Takes the latest for a server.
    func take(for origin: HTTP3Origin) -> HTTP3Resumption? {
        resumptions.withLockedValue { $0[origin]?.popLast() }
    }

    private func add(_ resumption: HTTP3Resumption, for origin: HTTP3Origin) {
        resumptions.withLockedValue { resumptions in
            resumptions[origin, default: []].append(resumption)
            if resumptions[origin]!.count > Self.capacity { resumptions[origin]!.removeFirst() }
        }
    }

    /// Takes what a connection has to give. Waits a little for it, if there is nothing else of this server.
    func collect(from client: HTTP3Client, for origin: HTTP3Origin) async {
        let isEmpty = resumptions.withLockedValue { $0[origin]?.isEmpty ?? true }
        await withTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                var iterator = client.resumptions.makeAsyncIterator()
                guard let resumption = await iterator.next() else { return true }
                self.add(resumption, for: origin)
                return true
            }
            tasks.addTask {
                try? await Task.sleep(for: isEmpty ? Self.patience : .zero)
                return false
            }
            _ = await tasks.next()
            tasks.cancelAll()
        }
    }

    /// The latest of each server, for the next run.
    var latest: [(HTTP3Origin, HTTP3Resumption)] {
        resumptions.withLockedValue { resumptions in
            resumptions.compactMap { origin, list in list.last.map { (origin, $0) } }
                .sorted { "\($0.0)" < "\($1.0)" }
        }
    }
}
