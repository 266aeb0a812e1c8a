import Foundation
import Godwit
import GodwitHTTP3
import Logging
import Testing

@testable import MHQKit

/// What comes to the operator's socket and the management port may be anything: it is refused, and traps nobody.
@Suite struct CommandFuzzTests {
    /// The generator of Numerical Recipes in its 64-bit form: the same lines each time.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private static let silence = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let lines: [String] = [
        #"{"command":"prepare","strategy":"best","destinations":["192.0.2.7:4433","[2001:db8::7]:443"],"#
            + #""otherwise":["pool","symmetric"],"deadline":1.5,"epoch":7,"details":true,"#
            + #""connections":{"0a0b0c0d0e0f1011":"explicit"}}"#,
        #"{"command":"prepare","strategy":"none"}"#,
        #"{"command":"hold","epoch":18446744073709551615,"release":true}"#,
        #"{"command":"switch","epoch":1,"addresses":["127.0.0.1:1","[::1]:65535"]}"#,
        #"{"command":"pool","addresses":["127.0.0.1:1","[::1]:2"]}"#,
        #"{"command":"cancel","epoch":0}"#, #"{"command":"status","details":false}"#,
        #"{"action":"onImminentServerMigration","protocol":"Explicit","address":"10.0.0.1:4433","#
            + #""notifyMigrationReady":true}"#,
        #"{"action":"onImminentServerMigration","protocol":"Synchronized Symmetric"}"#,
        #"{"action":"onNetworkSwitch","address":"[::]:0"}"#,
    ]

    private static let pieces: [String] = [
        "{", "}", "[", "]", "\"", ":", ",", "null", "true", "-1", "1e999", "1.5",
        "99999999999999999999",
        "\\u0000", "\\ud800", "\u{1f600}", "[::ffff:1.2.3.4]:5", "0.0.0.0:0", "\"epoch\":",
        "\"deadline\":-0.0",
        "\"destinations\":[]", "\"connections\":{\"\":\"pool\"}", "Pool of Addresses", "1.2.3.4:65536",
        "\"command\":\"prepare\",", String(repeating: "[", count: 700), String(repeating: "ab", count: 40),
    ]

    /// A line that was changed in a few places.
    private func mutated(_ random: inout Seeded) -> String {
        var bytes = Array(Self.lines.randomElement(using: &random)!.utf8)
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: if place < bytes.count { bytes[place] = .random(in: 0...255, using: &random) }
            case 1: bytes.insert(contentsOf: Self.pieces.randomElement(using: &random)!.utf8, at: place)
            case 2:
                let end = min(bytes.count, place + Int.random(in: 1...20, using: &random))
                bytes.removeSubrange(place..<end)
            case 3: bytes.removeLast(bytes.count - place)
            case 4:
                let end = min(bytes.count, place + Int.random(in: 1...40, using: &random))
                bytes.insert(contentsOf: bytes[place..<end], at: place)
            default:
                // Another number.
                let digits = bytes.indices.filter { 0x30...0x39 ~= bytes[$0] }
                if let digit = digits.randomElement(using: &random) {
                    bytes[digit] = .random(in: 0x30...0x39, using: &random)
                }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // Holds: W24
    @Test("Of 4,000 lines that nobody would write each is refused, or written as it was read")
    func requests() throws {
        var random = Seeded(state: 1)
        var (accepted, refused) = (0, 0)
        for _ in 0..<4000 {
            let line = mutated(&random)
            do {
                let request = try OperatorRequest(line: line)
                accepted += 1
                let again = try OperatorRequest(line: request.line)
                if case .prepare = request { continue }
                #expect(again == request, "\(line)")
            } catch {
                refused += 1
                #expect(!error.message.isEmpty)
            }
        }
        #expect(accepted > 40 && refused > 1000)
    }

    @Test("Bytes that come in any pieces are the same lines")
    func pieces() {
        var random = Seeded(state: 2)
        for _ in 0..<100 {
            let text = (0..<5).map { _ in mutated(&random).replacing("\n", with: " ") }
            var bytes = Array(text.joined(separator: "\n").utf8)[...]
            var (buffer, lines) = (LineBuffer(limit: OperatorRequest.longest), [String]())
            while !bytes.isEmpty {
                let piece = bytes.prefix(Int.random(in: 1...200, using: &random))
                bytes = bytes.dropFirst(piece.count)
                buffer.append(.init(bytes: piece))
                while let line = buffer.next() { lines.append(line) }
            }
            #expect(lines == Array(text.dropLast()) && !buffer.isTooLong)
        }
    }

    // Holds: W24
    @Test("600 such lines to a running server, over both of its interfaces, and it serves on")
    func runningServer() async throws {
        let path = folder["control"]
        try await RunningServer.run {
            $0.control = path
            $0.servesTCP = false
            $0.allowedDestinations = [AddressPrefix("127.0.0.0/8")!]
        } _: { server in
            let service = OperatorService(server: server.server.http3, logger: Self.silence) {}
            let operation = ThesisOperation(service: service, reportFile: nil)
            var random = Seeded(state: 3)
            for _ in 0..<300 {
                let answer = await service.answer(mutated(&random))
                #expect(throws: Never.self) { try OperatorReport(line: answer) }
                let reply = await operation.obey(mutated(&random))
                #expect(reply == "OK" || reply.hasPrefix("Bad request. Error: "))
            }
            // However it was left, it can be brought back.
            let state = await server.server.http3.quic.migrationState
            if state.isHeld { try await server.server.http3.cancelMigration(state.epoch) }
            let status = try await server.withClient { try await $0.ask("/bytes/10").status }
            #expect(status == 200)
        }
    }

    @Test("After the last number that a plan can have there is no other, by neither interface")
    func lastEpoch() async throws {
        let path = folder["control"]
        try await RunningServer.run {
            $0.control = path
            $0.servesTCP = false
        } _: { server in
            let service = OperatorService(server: server.server.http3, logger: Self.silence) {}
            let operation = ThesisOperation(service: service, reportFile: nil)
            func ask(_ line: String) async throws -> OperatorReport {
                try OperatorReport(line: await service.answer(line))
            }
            let last = #"{"command":"prepare","strategy":"symmetric","epoch":18446744073709551615}"#
            for _ in 0..<2 {
                let report = try await ask(last)
                #expect(report.isDone)
            }
            let refused = try await ask(#"{"command":"prepare","strategy":"symmetric"}"#)
            #expect(refused.exitCode == ExitCode.unavailable)
            let command = #"{"action":"onImminentServerMigration","protocol":"Symmetric"}"#
            #expect(await operation.obey(command).hasPrefix("Bad request. Error: "))
        }
    }
}
