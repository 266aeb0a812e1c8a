import GodwitWire

// Frames as qlog has them. A frame's raw length is what it takes on the wire.
extension QlogWriter {
    /// Writes the frames of a payload. What cannot be read, as it may come from a peer that breaks the rules,
    /// is an unknown frame.
    static func writeFrames(
        of payload: UnsafeRawBufferPointer, ackDelayExponent: UInt64, _ frames: inout JSONRecord
    ) {
        var reader = ByteReader(payload)
        while !reader.isAtEnd {
            let before = reader
            if let frame = migrationFrame(&reader) {
                writeMigration(frame, length: before.remaining - reader.remaining, &frames)
                continue
            }
            guard let frame = try? Frame.decode(&reader) else { return writeUnknown(before, &frames) }
            frames.object { record in
                write(frame, ackDelayExponent, &record)
                record.object("raw") {
                    $0.field("length", before.remaining - reader.remaining)
                    if let count = frame.dataCount { $0.field("payload_length", count) }
                }
            }
        }
    }

    private static func writeUnknown(_ rest: ByteReader, _ frames: inout JSONRecord) {
        var rest = rest
        let length = rest.remaining
        let type = rest.readVarint() ?? 0
        frames.object {
            $0.field("frame_type", "unknown")
            $0.field("frame_type_bytes", type)
            $0.object("raw") { $0.field("length", length) }
        }
    }

    private static func write(_ frame: Frame, _ ackDelayExponent: UInt64, _ record: inout JSONRecord) {
        record.field("frame_type", frame.qlogName)
        switch frame {
        case .padding, .ping, .handshakeDone, .datagram: break
        case .ack(let frame): write(frame, ackDelayExponent, &record)
        case .crypto(let frame): record.field("offset", frame.offset)
        case .stream(let frame):
            record.field("stream_id", frame.id.rawValue)
            record.field("offset", frame.offset)
            if frame.fin { record.field("fin", true) }
        case .newToken(let token):
            record.object("token") { $0.object("raw") { $0.field("length", token.count) } }
        case .newConnectionID(let frame): write(frame, &record)
        case .retireConnectionID(let number): record.field("sequence_number", number)
        case .pathChallenge(let data), .pathResponse(let data):
            record.field("data", hex: withUnsafeBytes(of: data.bigEndian) { [UInt8]($0) })
        case .connectionClose(let frame): write(frame, &record)
        default: writeStreamControl(frame, &record)
        }
    }

    private static func writeStreamControl(_ frame: Frame, _ record: inout JSONRecord) {
        switch frame {
        case .resetStream(let frame):
            record.field("stream_id", frame.id.rawValue)
            writeApplicationError(frame.errorCode, &record)
            record.field("final_size", frame.finalSize)
        case .stopSending(let frame):
            record.field("stream_id", frame.id.rawValue)
            writeApplicationError(frame.errorCode, &record)
        case .maxData(let maximum): record.field("maximum", maximum)
        case .maxStreamData(let id, let maximum):
            record.field("stream_id", id.rawValue)
            record.field("maximum", maximum)
        case .maxStreams(let direction, let maximum):
            record.field("stream_type", direction.qlogName)
            record.field("maximum", maximum)
        case .dataBlocked(let limit): record.field("limit", limit)
        case .streamDataBlocked(let id, let limit):
            record.field("stream_id", id.rawValue)
            record.field("limit", limit)
        case .streamsBlocked(let direction, let limit):
            record.field("stream_type", direction.qlogName)
            record.field("limit", limit)
        default: break
        }
    }

    private static func writeApplicationError(_ code: UInt64, _ record: inout JSONRecord) {
        record.field("error", "unknown")
        record.field("error_code", code)
    }

    private static func write(_ frame: AckFrame, _ delayExponent: UInt64, _ record: inout JSONRecord) {
        record.field("ack_delay", milliseconds: frame.delay(exponent: delayExponent))
        record.array("acked_ranges") { ranges in
            for range in frame.ranges {
                ranges.array {
                    $0.element(range.smallest)
                    if range.largest != range.smallest { $0.element(range.largest) }
                }
            }
        }
        guard let counts = frame.ecn else { return }
        record.field("ect1", counts.ect1)
        record.field("ect0", counts.ect0)
        record.field("ce", counts.congestionExperienced)
    }

    /// Without the reset token: whoever reads it could end the connection.
    private static func write(_ frame: NewConnectionIDFrame, _ record: inout JSONRecord) {
        record.field("sequence_number", frame.sequenceNumber)
        record.field("retire_prior_to", frame.retirePriorTo)
        record.field("connection_id_length", frame.id.length)
        record.field("connection_id", hex: frame.id.bytes)
    }

    private static func write(_ frame: ConnectionCloseFrame, _ record: inout JSONRecord) {
        record.field("error_space", frame.isApplication ? "application" : "transport")
        if frame.isApplication {
            writeApplicationError(frame.errorCode, &record)
        } else {
            TransportErrorCode(rawValue: frame.errorCode).write(as: "error", &record)
            record.field("trigger_frame_type", frame.frameType)
        }
        record.field("reason", text: frame.reasonText)
    }
}

extension StreamID.Direction {
    var qlogName: StaticString { self == .bidirectional ? "bidirectional" : "unidirectional" }
}

extension Frame {
    /// How many bytes of a stream, of the handshake or of the application it carries; nil where it is not for
    /// that.
    fileprivate var dataCount: Int? {
        switch self {
        case .crypto(let frame): frame.data.count
        case .stream(let frame): frame.data.count
        case .datagram(let bytes): bytes.count
        default: nil
        }
    }

    var qlogName: StaticString {
        switch self {
        case .padding: "padding"
        case .ping: "ping"
        case .ack: "ack"
        case .resetStream: "reset_stream"
        case .stopSending: "stop_sending"
        case .crypto: "crypto"
        case .newToken: "new_token"
        case .stream: "stream"
        case .maxData: "max_data"
        case .maxStreamData: "max_stream_data"
        case .maxStreams: "max_streams"
        case .dataBlocked: "data_blocked"
        case .streamDataBlocked: "stream_data_blocked"
        case .streamsBlocked: "streams_blocked"
        case .newConnectionID: "new_connection_id"
        case .retireConnectionID: "retire_connection_id"
        case .pathChallenge: "path_challenge"
        case .pathResponse: "path_response"
        case .connectionClose: "connection_close"
        case .handshakeDone: "handshake_done"
        case .datagram: "datagram"
        }
    }
}

extension TransportErrorCode {
    /// Writes the name of the error, and the number of one that the draft has no name for.
    func write(as field: StaticString, _ record: inout JSONRecord) {
        if tlsAlert != nil {
            return record.field(field, text: "crypto_error_0x" + String(rawValue, radix: 16))
        }
        if rawValue <= Self.noViablePath.rawValue {
            return record.field(field, text: description.lowercased())
        }
        record.field(field, "unknown")
        record.field("error_code", rawValue)
    }
}
