import Testing

@testable import MHQKit

@Suite struct HeaderOptionTests {
    @Test("A field is a name and a value")
    func field() throws {
        let field = try HeaderOption("X-Thing:  a: b \t")
        #expect(field.name == "X-Thing")
        #expect(field.value == "a: b")
        #expect(try HeaderOption("X:").value == "")
        #expect(try HeaderOption("TE: trailers").value == "trailers")
    }

    @Test(
        "What can't be sent is refused with the option's name (RFC 9114 section 4.2)",
        arguments: [
            "X", ":x", "a b: c", "ä: c", "a: b\u{0}", "a: b\r\nc: d", "Connection: close",
            "transfer-encoding: chunked",
            "TE: gzip", "Content-Length: 5", "Upgrade: x", ":path: /",
        ])
    func refused(text: String) {
        let failure = #expect(throws: Failure.self) { try HeaderOption(text) }
        #expect(failure?.exitCode == ExitCode.usage)
        #expect(failure?.message.hasPrefix("--header: ") == true)
        #expect(failure?.message.contains("\n") == false)
    }
}

@Suite struct OutputPlanTests {
    private func targets(
        _ urls: [String], _ files: [String] = [], remoteNames: Bool = false, json: Bool = false
    ) throws -> [OutputTarget] {
        try OutputPlan.targets(
            for: urls.map { try TargetURL($0) }, files: files, usesRemoteNames: remoteNames, reportsJSON: json
        )
    }

    @Test("Content goes to standard output unless told otherwise")
    func usual() throws {
        #expect(try targets(["a", "b"]) == [.standardOutput, .standardOutput])
        #expect(try targets(["a", "b"], ["x", "-"]) == [.file("x"), .standardOutput])
        #expect(try targets(["a", "b"], ["x"]) == [.file("x"), .standardOutput])
    }

    @Test("Files may have the names of their URLs")
    func remoteNames() throws {
        #expect(try targets(["a/x", "b/y"], remoteNames: true) == [.file("x"), .file("y")])
        #expect(try targets(["a/x", "b/y"], ["z"], remoteNames: true) == [.file("z"), .file("y")])
    }

    @Test("With reports on standard output content is only counted")
    func json() throws {
        #expect(try targets(["a", "b"], ["x"], json: true) == [.file("x"), .nothing])
        #expect(try targets(["a/b"], remoteNames: true, json: true) == [.file("b")])
    }

    @Test("What can't be meant is refused with the option's name")
    func refused() {
        func failure(_ body: () throws -> Void) -> Failure? { #expect(throws: Failure.self) { try body() } }
        let cases = [
            (failure { _ = try targets(["a"], ["x", "y"]) }, "--output: 2 files for 1 URL"),
            (failure { _ = try targets(["a"], [""]) }, "--output: "),
            (failure { _ = try targets(["a"], ["-"], json: true) }, "--output: "),
            (failure { _ = try targets(["a/"], remoteNames: true) }, "--remote-name: a/"),
            (
                failure { _ = try targets(["a/x", "b/x"], remoteNames: true) },
                "--output: two URLs for the file 'x'"
            ),
        ]
        for (failure, prefix) in cases {
            #expect(failure?.exitCode == ExitCode.usage)
            #expect(failure?.message.hasPrefix(prefix) == true, "\(failure?.message ?? "")")
        }
    }

    @Test("Any number of answers may go nowhere")
    func nowhere() throws {
        #expect(try targets(["a", "b"], ["/dev/null", "/dev/null"]).count == 2)
    }
}
