import Foundation
import HTTPTypes
import Testing

@testable import MHQKit

@Suite struct TransferPlanTests {
    private func plan(_ change: (inout GetOptions) -> Void = { _ in }) throws -> TransferPlan {
        var options = GetOptions()
        options.urls = ["https://a/x"]
        change(&options)
        return try TransferPlan(options)
    }

    @Test("A request has what clients send")
    func request() throws {
        let request = try plan().transfers[0].request
        #expect(request.method == .get)
        #expect(request.scheme == "https")
        #expect(request.authority == "a")
        #expect(request.path == "/x")
        #expect(request.headerFields[.userAgent] == "mhq")
    }

    @Test("What the user says takes the place of what is usual")
    func fields() throws {
        let request = try plan {
            $0.headers = ["User-Agent: me", "Host: b.example", "X-A: 1", "X-A: 2"]
        }.transfers[0].request
        #expect(request.headerFields[values: .userAgent] == ["me"])
        #expect(request.authority == "b.example")
        #expect(request.headerFields[values: HTTPField.Name("X-A")!] == ["1", "2"])
    }

    @Test("URLs are got in turn, as often as told")
    func repetitions() throws {
        let plan = try plan {
            $0.urls = ["a/1", "a/2"]
            $0.repetitions = 2
        }
        #expect(plan.transfers.map(\.url.path) == ["/1", "/2", "/1", "/2"])
    }

    @Test("Content on standard output is not mixed up")
    func parallel() throws {
        #expect(try plan { ($0.repetitions, $0.parallel) = (2, 8) }.parallel == 1)
        #expect(try plan { ($0.repetitions, $0.parallel, $0.reportsJSON) = (2, 8, true) }.parallel == 8)
        #expect(try plan { ($0.outputs, $0.parallel) = (["/dev/null"], 8) }.parallel == 8)
    }

    @Test("A file that is sent says what it is")
    func upload() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a.json", "{}")
        let post = try plan { $0.data = file }
        #expect(post.transfers[0].request.method == .post)
        #expect(post.transfers[0].request.headerFields[.contentType] == "application/json")
        #expect(post.upload?.length == 2)
        let put = try plan { ($0.upload, $0.headers) = ("@" + file, ["content-type: x/y"]) }
        #expect(put.transfers[0].request.method == .put)
        #expect(put.transfers[0].request.headerFields[values: .contentType] == ["x/y"])
    }

    @Test("What can't be done is refused in one line that names the option")
    func refused() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a", "{}")
        let cases: [((inout GetOptions) -> Void, String, Int32)] = [
            ({ $0.urls = [] }, "no URL", ExitCode.usage),
            ({ $0.urls = ["http://a/"] }, "URL 'http://a/' has the scheme 'http'", ExitCode.usage),
            ({ $0.urls = ["a\nb"] }, "URL 'a?b' ", ExitCode.usage),
            ({ $0.parallel = 0 }, "--parallel: ", ExitCode.usage),
            ({ $0.repetitions = 0 }, "--repeat: ", ExitCode.usage),
            ({ $0.headers = ["x"] }, "--header: ", ExitCode.usage),
            ({ $0.data = folder["none"] }, "--data: \(folder["none"]): ", ExitCode.noInput),
            ({ $0.data = folder.path }, "--data: \(folder.path): ", ExitCode.noInput),
            ({ ($0.data, $0.upload) = (file, file) }, "--upload: ", ExitCode.usage),
            ({ ($0.data, $0.isHead) = (file, true) }, "--head: ", ExitCode.usage),
            ({ ($0.data, $0.repetitions) = ("-", 2) }, "standard input", ExitCode.usage),
            ({ $0.outputs = ["a", "b"] }, "--output: ", ExitCode.usage),
        ]
        for (change, prefix, code) in cases {
            let failure = #expect(throws: Failure.self, "\(prefix)") { try plan(change) }
            #expect(failure?.message.hasPrefix(prefix) == true, "\(failure?.message ?? "")")
            #expect(failure?.exitCode == code)
            #expect(failure?.message.contains("\n") == false)
        }
    }
}

@Suite struct SessionFileTests {
    @Test("There is none at first, an empty one will do, and any other has to be one")
    func reading() throws {
        let folder = try TemporaryFolder()
        #expect(try SessionFile(path: folder["none"]).read().isEmpty)
        #expect(try SessionFile(path: folder.write("empty", "")).read().isEmpty)
        for text in ["x", "{}", "[]", #"{"version":2,"servers":[]}"#] {
            let path = try folder.write("wrong", text)
            let failure = #expect(throws: Failure.self) { try SessionFile(path: path).read() }
            #expect(failure?.exitCode == ExitCode.dataError)
            #expect(failure?.message.hasPrefix("--session: \(path): ") == true)
        }
    }

    @Test("Nobody but its owner can read it")
    func mode() throws {
        let folder = try TemporaryFolder()
        try SessionFile(path: folder["s"]).write([])
        #expect(folder.names == ["s"])
        let mode = try FileManager.default.attributesOfItem(atPath: folder["s"])[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try SessionFile(path: folder["s"]).read().isEmpty)
        let failure = #expect(throws: Failure.self) { try SessionFile(path: folder["none/s"]).write([]) }
        #expect(failure?.exitCode == ExitCode.cannotCreate)
    }
}
