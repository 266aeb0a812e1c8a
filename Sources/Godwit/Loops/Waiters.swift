/// Tasks that wait on an event loop for something to change.
///
/// Whoever is woken looks again whether it is what it waits for. So all may be woken at any time, and a task
/// that was cancelled needs no handling of its own.
package struct Waiters {
    // Mostly there is one at a time; that one costs no allocation.
    private var first: UnsafeContinuation<Void, Never>?
    private var others: [UnsafeContinuation<Void, Never>] = []

    /// Nobody waits.
    package init() {}

    package var isEmpty: Bool { first == nil }

    package mutating func append(_ continuation: UnsafeContinuation<Void, Never>) {
        if first == nil { first = continuation } else { others.append(continuation) }
    }

    package mutating func wakeAll() {
        guard let first else { return }
        self.first = nil
        first.resume()
        guard !others.isEmpty else { return }
        for continuation in others { continuation.resume() }
        others.removeAll()
    }
}
