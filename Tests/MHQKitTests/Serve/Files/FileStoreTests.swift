import Foundation
import HTTPTypes
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import MHQKit

@Suite struct FileStoreTests {
    private let folder: TemporaryFolder
    private let store: FileStore

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("root/a.txt", "hello")
        try folder.write("root/sub/b.html", "<p>")
        try folder.write("secret.txt", "secret")
        try folder.write("root2/c.txt", "sibling")
        store = try FileStore(root: folder["root"])
    }

    private func open(_ target: String) throws -> OpenFile { try store.file(at: RequestPath(target: target)) }

    private func link(_ name: String, to destination: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder["root/" + name], withDestinationPath: destination)
    }

    @Test("A file has a size, a type, a tag and a date")
    func file() throws {
        let file = try open("/a.txt")
        #expect(file.description.size == 5)
        #expect(file.description.fields[.contentType] == "text/plain; charset=utf-8")
        #expect(file.description.fieldsWithLength[.contentLength] == "5")
        #expect(String(buffer: try file.content.read(0..<5)) == "hello")
        #expect(String(buffer: try file.content.read(1..<3)) == "el")
        #expect(try open("/sub/b.html").description.fields[.contentType] == "text/html; charset=utf-8")
    }

    @Test("What is not there, a folder, and what is no regular file are not opened")
    func absence() throws {
        #expect(throws: FileStore.Absence.notFound) { try open("/none") }
        #expect(throws: FileStore.Absence.notFound) { try open("/a.txt/b") }
        #expect(throws: FileStore.Absence.isFolder) { try open("/sub") }
        #expect(throws: FileStore.Absence.isFolder) { try open("/") }
        #expect(mkfifo(folder["root/pipe"], 0o600) == 0)
        #expect(throws: FileStore.Absence.notFound) { try open("/pipe") }
        try link("tty", to: "/dev/null")
        #expect(throws: FileStore.Absence.notFound) { try open("/tty") }
    }

    @Test("Symbolic links may lead about in the folder, and nowhere else")
    func symbolicLinks() throws {
        try link("inside", to: "sub/b.html")
        try link("absolute", to: folder["root/a.txt"])
        try link("outside", to: folder["secret.txt"])
        try link("upwards", to: "../secret.txt")
        try link("sibling", to: folder["root2"])
        try link("parent", to: "..")
        try link("loop", to: "loop")
        #expect(String(buffer: try open("/inside").content.read(0..<3)) == "<p>")
        #expect(String(buffer: try open("/absolute").content.read(0..<5)) == "hello")
        for target in ["/outside", "/upwards", "/sibling/c.txt", "/parent/secret.txt", "/loop", "/parent"] {
            #expect(throws: FileStore.Absence.notFound, "\(target)") { try open(target) }
        }
    }

    @Test("A link that is turned outwards after it was good is noticed")
    func changedLink() throws {
        try link("link", to: "a.txt")
        _ = try open("/link")
        try FileManager.default.removeItem(atPath: folder["root/link"])
        try link("link", to: folder["secret.txt"])
        #expect(throws: FileStore.Absence.notFound) { try open("/link") }
    }

    @Test("A file that changes has another tag (RFC 9110 section 8.8.3)")
    func changes() throws {
        let before = try open("/a.txt").description
        #expect(try open("/a.txt").description.validators == before.validators)
        try folder.write("root/a.txt", "hello, world")
        let after = try open("/a.txt").description
        #expect(after.validators.tag != before.validators.tag)
        #expect(after.size == 12)
    }

    @Test("A file that becomes shorter while it is read is not filled up")
    func truncated() throws {
        let file = try open("/a.txt")
        #expect(truncate(folder["root/a.txt"], 2) == 0)
        #expect(throws: ReadableFile.Failure.truncated) { try file.content.read(0..<5) }
    }

    @Test("A folder that can't be served is named with its option")
    func noFolder() throws {
        for path in [folder["none"], folder["secret.txt"]] {
            let failure = #expect(throws: Failure.self) { try FileStore(root: path) }
            #expect(failure?.exitCode == ExitCode.noInput)
            #expect(failure?.message.hasPrefix("--root: \(path): ") == true)
        }
    }

    @Test("A large file comes in pieces that make it up")
    func pieces() async throws {
        let content = pattern(700_000)
        try folder.write("root/big", content)
        let file = try open("/big")
        var (received, count): ([UInt8], Int) = ([], 0)
        try await file.content.forEachPiece(of: 1..<699_999) { piece in
            received += piece.readableBytesView
            count += 1
        }
        #expect(received == Array(content[1..<699_999]))
        #expect(count == 3)
    }

    // MARK: Content that is remembered

    private func isInMemory(_ file: OpenFile) -> Bool {
        if case .memory = file.content { true } else { false }
    }

    /// A store to which all files here were changed long ago, and each question comes a second after the one before.
    private func laterStore(step: Int64 = 1_000_000_000) throws -> FileStore {
        let time = NIOLockedValueBox((Int64(time(nil)) + 3600) * 1_000_000_000)
        return try FileStore(
            root: folder["root"],
            now: {
                time.withLockedValue { time in
                    time += step
                    return time
                }
            })
    }

    @Test("A file in memory is not looked at for every request, but soon")
    func looksSeldom() throws {
        let store = try laterStore(step: 4_000_000)
        let path = try RequestPath(target: "/a.txt")
        for _ in 0..<3 { _ = try store.file(at: path) }
        #expect(unlink(folder["root/a.txt"]) == 0)
        #expect(isInMemory(try store.file(at: path)))
        #expect(isInMemory(try store.file(at: path)))
        #expect(throws: FileStore.Absence.notFound) { try store.file(at: path) }
    }

    @Test("A small file that is asked for again is read once, and again when it has changed")
    func remembersContent() throws {
        let store = try laterStore()
        let path = try RequestPath(target: "/a.txt")
        #expect(!isInMemory(try store.file(at: path)))
        #expect(!isInMemory(try store.file(at: path)))
        let third = try store.file(at: path)
        #expect(isInMemory(third))
        #expect(String(buffer: try third.content.read(1..<3)) == "el")
        #expect(throws: ReadableFile.Failure.truncated) { try third.content.read(3..<6) }

        // Another file of the same size under the same name.
        try folder.write("root/new.txt", "world")
        #expect(rename(folder["root/new.txt"], folder["root/a.txt"]) == 0)
        let changed = try store.file(at: path)
        #expect(String(buffer: try changed.content.read(0..<5)) == "world")
        #expect(changed.description.validators.tag != third.description.validators.tag)

        #expect(unlink(folder["root/a.txt"]) == 0)
        #expect(throws: FileStore.Absence.notFound) { try store.file(at: path) }
    }

    @Test("What was changed a moment ago is not remembered: the next change might look the same")
    func remembersNoRecentContent() throws {
        let path = try RequestPath(target: "/a.txt")
        for _ in 0..<4 { #expect(!isInMemory(try store.file(at: path))) }
    }

    @Test("A large file is not remembered")
    func remembersNoLargeContent() throws {
        try folder.write("root/large", [UInt8](repeating: 1, count: Int(FileMemory.largestContent) + 1))
        let store = try laterStore()
        let path = try RequestPath(target: "/large")
        for _ in 0..<4 { #expect(!isInMemory(try store.file(at: path))) }
    }

    @Test("A name that leads outside by now is not served from memory")
    func remembersNothingElsewhere() throws {
        let store = try laterStore()
        let path = try RequestPath(target: "/a.txt")
        for _ in 0..<3 { _ = try store.file(at: path) }
        #expect(unlink(folder["root/a.txt"]) == 0)
        try link("a.txt", to: folder["secret.txt"])
        #expect(throws: FileStore.Absence.notFound) { try store.file(at: path) }
    }
}
