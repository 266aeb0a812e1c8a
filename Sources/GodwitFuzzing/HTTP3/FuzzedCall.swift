import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire

/// Something that an application does with an HTTP/3 machine.
struct FuzzedCall {
    /// What has to be sent on the stream of the call.
    struct Output: Equatable {
        var bytes: [UInt8] = []
        var ends = false
        /// It was not allowed.
        var isRefused = false
    }

    let stream: StreamID
    private let choice: UInt8
    private let fin: Bool
    private let bytes: [UInt8]

    /// A request goes on a stream of its own, and everything else on one that the details name.
    init(_ details: UInt8, _ bytes: [UInt8], nextRequest: UInt64) {
        choice = details & 0x0f
        fin = details & 0x80 != 0
        self.bytes = bytes
        stream = StreamID(
            index: choice < 5 ? nextRequest : UInt64(details >> 4 & 0x07), direction: .bidirectional,
            initiator: .client)
    }

    var opensRequest: Bool { choice < 5 }

    func make(_ machine: inout HTTP3Connection) -> Output {
        var output = Output(ends: fin && choice < 11)
        do throws(HTTP3SendError) {
            try make(&machine, &output)
        } catch {
            return Output(isRefused: true)
        }
        return output
    }

    private func make(_ machine: inout HTTP3Connection, _ output: inout Output) throws(HTTP3SendError) {
        switch choice {
        case 0...4: try machine.sendRequest(request, on: stream, fin: fin, into: &output.bytes)
        case 5: try machine.sendInformational(response("103"), on: stream, into: &output.bytes)
        case 6: try machine.sendResponse(response("200"), on: stream, fin: fin, into: &output.bytes)
        case 7: try machine.sendResponse(response("304"), on: stream, fin: fin, into: &output.bytes)
        case 8: try machine.beginData(bytes.count, on: stream, fin: fin, into: &output.bytes)
        case 9: try machine.sendTrailers(FuzzedSections.section(bytes), on: stream, into: &output.bytes)
        case 10: try machine.finish(stream)
        default: try manage(&machine)
        }
        finishOutput(&output)
    }

    private func finishOutput(_ output: inout Output) {
        switch choice {
        case 5: output.ends = false
        case 8: output.bytes += bytes
        case 9, 10: output.ends = true
        default: break
        }
    }

    private func manage(_ machine: inout HTTP3Connection) throws(HTTP3SendError) {
        switch choice {
        case 11:
            machine.cancel(stream, code: bytes.first.map { HTTP3ErrorCode(rawValue: 0x100 + UInt64($0)) })
        case 12: machine.stopReceiving(stream)
        case 13:
            try machine.updatePriority(Priority(urgency: bytes.first ?? 3, isIncremental: fin), of: stream)
        case 14: fin ? machine.completeShutdown() : machine.beginShutdown()
        default:
            var datagram: [UInt8] = []
            try machine.beginDatagram(on: stream, into: &datagram)
        }
    }

    private var request: FieldSection {
        var fields = FieldSection()
        fields.append(name: ":method", value: ["GET", "POST", "HEAD", "CONNECT", "CONNECT"][Int(choice)])
        if choice == 4 { fields.append(name: ":protocol", value: "websocket") }
        fields.append(name: ":authority", value: "fuzz.test:443")
        if choice != 3 {
            fields.append(name: ":scheme", value: "https")
            fields.append(name: ":path", value: "/" + String(bytes.count))
        }
        FuzzedSections.append(bytes, to: &fields)
        return fields
    }

    private func response(_ status: String) -> FieldSection {
        var fields = FieldSection()
        fields.append(name: ":status", value: status)
        FuzzedSections.append(bytes, to: &fields)
        return fields
    }
}
