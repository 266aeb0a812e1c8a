/// Runs `body` when not too many others are under way that have event loops and sockets of their own.
///
/// Otherwise all tests would have theirs at once. Foundation's `Process` reads beyond its buffer when the process has
/// some 1,300 descriptors open, and with two cores nobody gains by more threads.
package func takingTurn<Result: Sendable>(
    _ body: @Sendable () async throws -> Result
) async rethrows -> Result {
    // Who has a turn and waited for another might wait for itself.
    if Turns.isTaken { return try await body() }
    await Turns.shared.take()
    do {
        let result = try await Turns.$isTaken.withValue(true, operation: body)
        await Turns.shared.giveBack()
        return result
    } catch {
        await Turns.shared.giveBack()
        throw error
    }
}

private actor Turns {
    static let shared = Turns()
    @TaskLocal static var isTaken = false

    private var left = 24
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        if left > 0 { return left -= 1 }
        await withCheckedContinuation { waiting.append($0) }
    }

    func giveBack() {
        if waiting.isEmpty { left += 1 } else { waiting.removeFirst().resume() }
    }
}
