import GodwitTestSupport
import Logging
import Metrics
import NIOCore
import Testing

@testable import Godwit

@Suite("What is told to those who watch", .timeLimit(.minutes(15)))
struct ObservationTests {
    @Test("Connections and traffic are counted under the documented labels")
    func metrics() async throws {
        let recorder = MetricsRecorder()
        try await LoopbackPair.run {
            $0.metrics = QUICMetrics(role: .server, factory: recorder)
        } serve: { connection in
            await echo(connection)
        } _: { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            await connection.close(code: 3)
        }
        #expect(recorder["godwit_connections_opened role=server"] == 1)
        #expect(recorder["godwit_connections_closed role=server reason=application_by_peer"] == 1)
        #expect(recorder["godwit_connections_active role=server"] == 0)
        #expect(recorder["godwit_handshake_duration role=server"] > 0)
        for direction in ["received", "sent"] {
            #expect(recorder["godwit_datagrams role=server direction=\(direction)"] > 2)
            #expect(recorder["godwit_bytes role=server direction=\(direction)"] > 2400)
        }
        #expect(recorder["godwit_datagrams_dropped role=server direction=sent"] == 0)
    }

    @Test("A connection's opening and its end are logged, with the reason")
    func logging() async throws {
        let log = LogRecorder()
        try await LoopbackPair.run {
            $0.logger = Logger(label: "test") { _ in log }
        } serve: { connection in
            await echo(connection)
        } _: { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            await connection.close(code: 3, reason: "enough")
        }
        let lines = log.lines
        #expect(lines.contains { $0.hasPrefix("debug connection opened") })
        #expect(lines.contains { $0.hasPrefix("debug connection closed") && $0.contains("code 3: enough") })
        #expect(lines.contains { $0.hasPrefix("info listening") })
    }
}
