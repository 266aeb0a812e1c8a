import GodwitHTTP3Core
import GodwitWire

/// The machine under test, and a peer whose bytes the script may get ahead of, add to, and spoil.
///
/// A second machine under test gets the same bytes one by one. Where streams are cut says nothing (RFC 9000 section
/// 2.2), so both have to tell the same.
struct FuzzedMachinePair {
    private struct Pipe {
        var bytes: [UInt8] = []
        var isEnded = false
        /// No more may come on the stream.
        var isClosed = false
    }

    let role: Role
    let beginning: HTTP3Script.Beginning
    private var target: FuzzedMachine
    private var twin: FuzzedMachine?
    private var peer: FuzzedMachine
    private var toTarget: [StreamID: Pipe] = [:]
    private var toPeer: [StreamID: Pipe] = [:]
    private var nextRequest: UInt64 = 0
    private var usedRequests: UInt64 = 16

    init(_ beginning: HTTP3Script.Beginning) {
        self.beginning = beginning
        role = beginning.contains(.client) ? .client : .server
        target = FuzzedMachine(role, beginning)
        // With small limits it does matter what comes at once: what is whole need not be kept.
        twin = beginning.contains(.smallLimits) ? nil : FuzzedMachine(role, beginning, pieceSize: 1)
        peer = FuzzedMachine(role.peer, beginning.subtracting(.smallLimits))
        if beginning.contains(.settled) { exchange() }
    }

    // MARK: On the way to the machine under test

    /// Bytes arrive behind those that have arrived, ahead of those that are on their way.
    mutating func deliver(_ bytes: [UInt8], on id: StreamID, fin: Bool) {
        guard toTarget[id]?.isClosed != true else { return }
        if fin { toTarget[id, default: Pipe()].isClosed = true }
        target.deliver(bytes, on: id, fin: fin)
        twin?.deliver(bytes, on: id, fin: fin)
        finishStep()
    }

    /// The first bytes that the peer has sent on a stream arrive, changed by `edit`.
    mutating func deliverPiece(on id: StreamID, count: Int, edit: ([UInt8]) -> [UInt8] = { $0 }) {
        guard let pipe = toTarget[id], !pipe.isClosed else { return }
        let piece = [UInt8](pipe.bytes.prefix(count))
        toTarget[id]?.bytes.removeFirst(piece.count)
        let isLast = pipe.isEnded && piece.count == pipe.bytes.count
        guard !piece.isEmpty || isLast else { return }
        deliver(edit(piece), on: id, fin: isLast)
    }

    mutating func tell(_ news: (inout HTTP3Connection) -> Void) {
        target.tell(news)
        twin?.tell(news)
        finishStep()
    }

    mutating func reset(_ id: StreamID, code: UInt64) {
        guard toTarget[id]?.isClosed != true else { return }
        toTarget[id, default: Pipe()].isClosed = true
        target.dropUnread(on: id)
        twin?.dropUnread(on: id)
        tell { $0.receiveReset(of: id, code: code) }
    }

    mutating func deliverDatagram(_ bytes: [UInt8]) {
        target.deliverDatagram(bytes)
        twin?.deliverDatagram(bytes)
        finishStep()
    }

    // MARK: Applications

    mutating func act(_ details: UInt8, _ bytes: [UInt8]) {
        let call = FuzzedCall(details, bytes, nextRequest: nextRequest)
        guard let output = Self.make(call, &target, &nextRequest) else { return }
        if var other = twin {
            let same = other.makeCall(call)
            twin = other
            require(
                other.machine.isClosed || target.machine.isClosed || same == output,
                "what is sent does not depend on how the peer's bytes were cut")
        }
        Self.enqueue(output, call.stream, &toPeer)
        finishStep()
    }

    mutating func actAsPeer(_ details: UInt8, _ bytes: [UInt8]) {
        let call = FuzzedCall(details, bytes, nextRequest: nextRequest)
        guard !beginning.contains(.silentPeer), let output = Self.make(call, &peer, &nextRequest) else {
            return
        }
        Self.enqueue(output, call.stream, &toTarget)
        carryPeerSignals()
    }

    private static func make(
        _ call: FuzzedCall, _ machine: inout FuzzedMachine, _ nextRequest: inout UInt64
    ) -> FuzzedCall.Output? {
        let output = machine.makeCall(call)
        guard !output.isRefused else { return nil }
        if call.opensRequest { nextRequest += 1 }
        return output
    }

    private static func enqueue(
        _ output: FuzzedCall.Output, _ id: StreamID, _ pipes: inout [StreamID: Pipe]
    ) {
        guard !output.bytes.isEmpty || output.ends else { return }
        pipes[id, default: Pipe()].bytes += output.bytes
        if output.ends { pipes[id]?.isEnded = true }
    }

    // MARK: Everything arrives

    mutating func exchange() {
        for _ in 0..<3 {
            if !beginning.contains(.silentPeer) {
                for (id, bytes) in peer.takePendingBytes(atMost: .max) {
                    toTarget[id, default: Pipe()].bytes += bytes
                }
            }
            for id in toTarget.keys.sorted() { deliverPiece(on: id, count: .max) }
            answer(atMost: .max)
        }
    }

    /// The peer gets what the machine under test has to say.
    mutating func answer(atMost limit: Int) {
        for (id, bytes) in target.takePendingBytes(atMost: limit) {
            toPeer[id, default: Pipe()].bytes += bytes
        }
        _ = twin?.takePendingBytes(atMost: limit)
        for id in toPeer.keys.sorted() { deliverToPeer(id) }
        carryPeerSignals()
    }

    private mutating func deliverToPeer(_ id: StreamID) {
        guard var pipe = toPeer[id], !pipe.isClosed, !pipe.bytes.isEmpty || pipe.isEnded else { return }
        peer.deliver(pipe.bytes, on: id, fin: pipe.isEnded)
        pipe.bytes = []
        pipe.isClosed = pipe.isEnded
        toPeer[id] = pipe
    }

    // MARK: Resets

    private mutating func finishStep() {
        let signals = target.signals
        target.signals = []
        twin?.signals = []
        for signal in signals {
            switch signal {
            case .resetStream(let id, let code):
                guard toPeer[id]?.isClosed != true else { continue }
                toPeer[id, default: Pipe()].isClosed = true
                peer.dropUnread(on: id)
                peer.tell { $0.receiveReset(of: id, code: code.rawValue) }
            case .stopSending(let id, let code):
                peer.tell { $0.receiveStopSending(of: id, code: code.rawValue) }
            default: break
            }
        }
    }

    private mutating func carryPeerSignals() {
        let signals = peer.signals
        peer.signals = []
        for signal in signals {
            switch signal {
            case .resetStream(let id, let code): reset(id, code: code.rawValue)
            case .stopSending(let id, let code):
                tell { $0.receiveStopSending(of: id, code: code.rawValue) }
            default: break
            }
        }
    }

    // MARK: The end

    /// The machine comes to rest when the peer and the application have given up everything.
    mutating func finish() {
        if let twin {
            require(
                target.seen.agrees(with: twin.seen),
                "where a stream is cut says nothing (RFC 9000 section 2.2)")
        }
        twin = nil
        for index in 0..<HTTP3Fuzzing.requestIndexes {
            let id = StreamID(index: index, direction: .bidirectional, initiator: .client)
            target.tell { $0.cancel(id) }
        }
        target.tell { $0.completeShutdown() }
        guard !target.machine.isClosed else { return }
        require(target.machine.openRequestCount == 0, "no request is open that was given up")
        require(target.seen.isDrained, "a connection without requests drains (RFC 9114 section 5.2)")
        while target.machine.hasPendingBytes { _ = target.takePendingBytes(atMost: .max) }
    }
}

extension FuzzedMachine {
    mutating func makeCall(_ call: FuzzedCall) -> FuzzedCall.Output {
        var output = FuzzedCall.Output()
        tell { output = call.make(&$0) }
        return output
    }
}
