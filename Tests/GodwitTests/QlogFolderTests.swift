import Foundation
import GodwitCore
import GodwitWire
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Godwit

@Suite("Logs of connections in a folder (qlog)")
struct QlogFolderTests {
    /// A folder that is gone afterwards.
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "godwit-qlog-\(UInt64.random(in: 0...UInt64.max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    private func records(_ path: String) throws -> [[String: Any]] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(data.first == 0x1e && data.last == 0x0a)
        return try data.split(separator: 0x1e).map {
            try #require(try JSONSerialization.jsonObject(with: $0) as? [String: Any])
        }
    }

    @Test("Both ends of a connection write a file, named for its id and their role")
    func loopback() async throws {
        try await withFolder { folder in
            try await LoopbackPair.run {
                $0.qlogFolder = folder
            } client: {
                $0.qlogFolder = folder
            } serve: {
                await echo($0)
            } _: { pair in
                let connection = try await pair.connect()
                let stream = try await connection.openStream()
                try await stream.write(ByteBuffer(bytes: pattern(100_000)), finish: true)
                let answer = try await stream.collect(upTo: 200_000)
                #expect(answer.readableBytes == 100_000)
                await connection.close()
            }
            await QlogFiles.flush()
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(names.count == 2)
            let id = try #require(names.first?.prefix { $0 != "_" })
            #expect(names == ["\(id)_client.sqlog", "\(id)_server.sqlog"])
            for name in names {
                let records = try records(folder + "/" + name)
                #expect(records[0]["serialization_format"] as? String == "application/qlog+json-seq")
                let events = records.dropFirst().compactMap { $0["name"] as? String }
                #expect(events.first == "quic:connection_started")
                #expect(events.filter { $0 == "quic:packet_received" }.count > 20)
                #expect(events.contains("quic:connection_closed"))
            }
        }
    }

    @Test("A second log of one name goes to a file of its own")
    func sameName() async throws {
        try await withFolder { path in
            let folder = QlogFolder(path: path, logger: Logger(label: "test"))
            let name = QlogConnectionName(originalDestination: ConnectionID([1, 2])!, role: .server)
            for text in ["first", "second"] { folder.makeSink(for: name)?.write(Array(text.utf8)) }
            await QlogFiles.flush()
            let texts = try ["", "-2"].map { suffix in
                try String(contentsOfFile: path + "/0102_server\(suffix).sqlog", encoding: .utf8)
            }
            #expect(texts == ["first", "second"])
        }
    }

    @Test("Records that the disk is too slow for are dropped, and the rest is whole")
    func overload() async throws {
        try await withFolder { path in
            let folder = QlogFolder(path: path, logger: Logger(label: "test"))
            let name = QlogConnectionName(originalDestination: ConnectionID([3])!, role: .client)
            let sink = try #require(folder.makeSink(for: name))
            let gate = DispatchSemaphore(value: 0)
            QlogFolder.thread.submit { _ in gate.wait() }
            let record = [UInt8](repeating: 0x61, count: 1 << 20)
            for _ in 0..<40 { sink.write(record) }
            gate.signal()
            await QlogFiles.flush()
            let size =
                try FileManager.default.attributesOfItem(atPath: path + "/03_client.sqlog")[.size] as? Int
            #expect(size == QlogFolder.maxWaiting)
            sink.write(record)
            await QlogFiles.flush()
            let later =
                try FileManager.default.attributesOfItem(atPath: path + "/03_client.sqlog")[.size] as? Int
            #expect(later == QlogFolder.maxWaiting + record.count)
        }
    }

    @Test("A folder that cannot be written to costs the logs and nothing else")
    func unwritable() async throws {
        try await LoopbackPair.run {
            $0.qlogFolder = "/dev/null/nowhere"
        } serve: {
            await echo($0)
        } _: { pair in
            let stream = try await pair.connect().openStream()
            try await stream.write(ByteBuffer(string: "hello"), finish: true)
            let answer = try await stream.collect(upTo: 100)
            #expect(String(buffer: answer) == "hello")
        }
    }
}
