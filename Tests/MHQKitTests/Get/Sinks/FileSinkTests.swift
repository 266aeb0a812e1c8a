import Foundation
import NIOCore
import Testing

@testable import MHQKit

@Suite struct FileSinkTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: folder[name])[.posixPermissions] as? Int
    }

    @Test("A file appears when it is whole, and nothing is left beside it")
    func whole() async throws {
        let sink = try FileSink.open(folder["x"])
        try await sink.write(ByteBuffer(string: "hello, "))
        try await sink.write(ByteBuffer(string: "world"))
        #expect(folder.names.allSatisfy { $0.hasPrefix(".x.") && $0.hasSuffix(".part") })
        #expect(folder.names.count == 1)
        try sink.finish()
        #expect(folder.names == ["x"])
        #expect(try folder.text("x") == "hello, world")
        #expect(try mode("x") == Int(0o666 & ~FileCreationMask.current))
    }

    @Test("What is not whole leaves nothing, and the old file as it was")
    func aborted() async throws {
        try folder.write("x", "old")
        let sink = try FileSink.open(folder["x"])
        try await sink.write(ByteBuffer(string: "new"))
        sink.abort()
        sink.abort()
        #expect(folder.names == ["x"])
        #expect(try folder.text("x") == "old")
    }

    @Test("A file that is replaced keeps its mode, and a link to it stays one")
    func replaced() async throws {
        try folder.write("x", "old")
        #expect(chmod(folder["x"], 0o640) == 0)
        try FileManager.default.createSymbolicLink(atPath: folder["link"], withDestinationPath: "x")
        let sink = try FileSink.open(folder["link"])
        try await sink.write(ByteBuffer(string: "new"))
        try sink.finish()
        #expect(folder.names == ["link", "x"])
        #expect(try folder.text("x") == "new")
        #expect(try mode("x") == 0o640)
    }

    @Test("Files that are not whole are deleted at an end without ceremony")
    func unceremonious() async throws {
        let sink = try FileSink.open(folder["x"])
        try await sink.write(ByteBuffer(string: "half"))
        TemporaryFiles.removeAll()
        #expect(folder.names.isEmpty)
        sink.abort()
    }

    @Test("Devices are written to as they are")
    func devices() async throws {
        let sink = try FileSink.open("/dev/null")
        try await sink.write(ByteBuffer(string: "x"))
        try sink.finish()
        #expect(try FileSink.open("/dev/null") is NullSink)
    }

    @Test("What can't be written is named with its option, before anything is sent")
    func refused() throws {
        try folder.write("file", "")
        for path in [folder.path, folder["none/x"], folder["file/x"], folder["none/"]] {
            let failure = #expect(throws: Failure.self, "\(path)") { try OutputSinks.check(.file(path)) }
            #expect(failure?.exitCode == ExitCode.cannotCreate)
            #expect(failure?.message.hasPrefix("--output: \(path): ") == true)
        }
        #expect(throws: Never.self) { try OutputSinks.check(.file(folder["new"])) }
        #expect(throws: Never.self) { try OutputSinks.check(.file("/dev/null")) }
    }
}
