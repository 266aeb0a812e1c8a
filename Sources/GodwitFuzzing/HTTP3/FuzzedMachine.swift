import GodwitHTTP3Core
import GodwitWire

/// An HTTP/3 machine with what its transport would keep for it.
struct FuzzedMachine {
    /// What has come on a stream and was not consumed.
    private struct Unread {
        var bytes: [UInt8] = []
        var isEnded = false
        /// The machine takes it only after it has said so.
        var isWaiting = false
    }

    var machine: HTTP3Connection
    var seen: HTTP3Observations
    /// What the machine wants of the transport.
    var signals: [HTTP3Action] = []
    /// The largest piece in which bytes are given to it.
    private let pieceSize: Int
    private var unread: [StreamID: Unread] = [:]
    private var resumed: [StreamID] = []

    init(_ role: Role, _ beginning: HTTP3Script.Beginning, pieceSize: Int = .max) {
        let isEarly = role == .client && beginning.contains(.earlyData)
        let configuration = Self.configuration(beginning)
        machine = HTTP3Connection(
            role: role, configuration: configuration,
            rememberedSettings: isEarly ? HTTP3Settings(configuration) : nil)
        seen = HTTP3Observations(role: role)
        self.pieceSize = pieceSize
        machine.start(Self.ownStreams(role))
    }

    private static func ownStreams(_ role: Role) -> OwnStreams {
        let ids = (0..<4).map { StreamID(index: $0, direction: .unidirectional, initiator: role) }
        return OwnStreams(control: ids[0], encoder: ids[1], decoder: ids[2], reserved: ids[3])
    }

    private static func configuration(_ beginning: HTTP3Script.Beginning) -> HTTP3Configuration {
        var configuration = HTTP3Configuration()
        configuration.isConnectProtocolEnabled = beginning.contains(.extensions)
        configuration.areDatagramsEnabled = beginning.contains(.extensions)
        guard beginning.contains(.smallLimits) else { return configuration }
        configuration.maximumFieldSectionSize = 512
        configuration.qpackMaximumTableCapacity = 128
        configuration.qpackBlockedStreams = 1
        configuration.limits.requestStreams = 3
        configuration.limits.undeterminedStreams = 2
        configuration.limits.settings = 8
        configuration.limits.pendingPriorities = 2
        configuration.limits.priorityFieldValue = 16
        configuration.limits.meaninglessElements = 16
        configuration.limits.heldBytes = 256
        configuration.limits.pendingBytes = 64
        return configuration
    }

    // MARK: What comes

    mutating func deliver(_ bytes: [UInt8], on id: StreamID, fin: Bool) {
        unread[id, default: Unread()].bytes += bytes
        if fin { unread[id, default: Unread()].isEnded = true }
        pump(id)
        while let id = resumed.popLast() { pump(id) }
    }

    /// A call of the machine that brings no bytes of a stream.
    mutating func tell(_ news: (inout HTTP3Connection) -> Void) {
        news(&machine)
        takeActions(UnsafeRawBufferPointer(start: nil, count: 0))
        while let id = resumed.popLast() { pump(id) }
    }

    mutating func deliverDatagram(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes {
            machine.receiveDatagram($0)
            takeActions($0)
        }
    }

    mutating func dropUnread(on id: StreamID) { unread[id] = nil }

    private mutating func pump(_ id: StreamID) {
        while let waiting = unread[id], !waiting.isWaiting {
            let piece = [UInt8](waiting.bytes.prefix(pieceSize))
            let isLast = waiting.isEnded && piece.count == waiting.bytes.count
            let consumed = receive(piece, on: id, fin: isLast)
            guard unread[id] != nil else { return }
            unread[id]?.bytes.removeFirst(consumed)
            if consumed < piece.count {
                unread[id]?.isWaiting = resumed.last != id
                guard resumed.last == id else { return }
                resumed.removeLast()
                require(consumed > 0, "who is asked to go on gets on")
            } else if piece.count == waiting.bytes.count {
                unread[id] = nil
            }
        }
    }

    private mutating func receive(_ piece: [UInt8], on id: StreamID, fin: Bool) -> Int {
        piece.withUnsafeBytes { bytes in
            let consumed = machine.receive(bytes, on: id, fin: fin)
            require(0...bytes.count ~= consumed, "no more is consumed than has come")
            takeActions(bytes)
            return consumed
        }
    }

    // MARK: What it wants

    private mutating func takeActions(_ bytes: UnsafeRawBufferPointer) {
        while let action = machine.nextAction() {
            seen.note(action, bytes)
            switch action {
            case .resume(let id):
                unread[id]?.isWaiting = false
                resumed.append(id)
            case .resetStream, .stopSending: signals.append(action)
            case .request(_, let head): machine.recycle(head.fields)
            default: break
            }
        }
    }

    /// Takes at most so many bytes for each of the machine's own streams.
    mutating func takePendingBytes(atMost limit: Int) -> [(StreamID, [UInt8])] {
        var taken: [(StreamID, [UInt8])] = []
        machine.writePendingBytes { id, bytes, _ in
            require(!bytes.isEmpty, "what is handed out has bytes")
            taken.append((id, [UInt8](bytes.prefix(limit))))
            return min(bytes.count, limit)
        }
        return taken
    }
}
