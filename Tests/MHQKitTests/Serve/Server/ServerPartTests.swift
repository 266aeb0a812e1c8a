import GodwitHTTP3
import Testing

@testable import MHQKit

@Suite struct ListenAddressTests {
    @Test(
        "An address, both loopback addresses, or all of this machine",
        arguments: [
            ("127.0.0.1:4433", ["127.0.0.1:4433"]), ("[::1]:1", ["[::1]:1"]), (":443", ["[::]:443"]),
            ("localhost:0", ["127.0.0.1:0", "[::1]:0"]), ("0.0.0.0:5", ["0.0.0.0:5"]),
        ])
    func addresses(text: String, expected: [String]) throws {
        let listen = try ListenAddress(text, option: "--listen")
        #expect(listen.addresses.map { "\($0)" } == expected)
    }

    @Test(
        "What is none is refused with the option's name",
        arguments: [
            "", "4433", "localhost", "localhost:", "localhost:x", "example.org:1", "::1:5", "1.2.3.4:99999",
            ":",
        ])
    func refused(text: String) {
        let failure = #expect(throws: Failure.self) { try ListenAddress(text, option: "--metrics") }
        #expect(failure?.exitCode == ExitCode.usage)
        #expect(failure?.message.hasPrefix("--metrics: '\(text)'") == true)
    }
}

@Suite struct StartReportTests {
    private let address = NetworkAddress("127.0.0.1:4433")!

    @Test("People are told how to connect")
    func text() {
        var report = StartReport(url: "https://localhost:4433/", udp: [address], tcp: [address], root: "/srv")
        report.selfSignedFile = "/tmp/x.pem"
        report.metricsURL = "http://localhost:9090/metrics"
        let text = report.text
        #expect(text.contains("mhq serves /srv at https://localhost:4433/"))
        #expect(text.contains("mhq get --ca-file /tmp/x.pem https://localhost:4433/"))
        #expect(text.contains("http://localhost:9090/metrics"))
    }

    @Test("Programs get one JSON object")
    func json() {
        let report = StartReport(url: "https://localhost:4433/", udp: [address], root: nil)
        let expected =
            #"{"event":"listening","url":"https://localhost:4433/","udp":["127.0.0.1:4433"],"tcp":[]}"#
        #expect(report.json == expected)
    }
}

@Suite struct SecondsTests {
    @Test("Spans of time are numbers of seconds")
    func parse() throws {
        #expect(try Seconds.parse(1.5, option: "--x") == .milliseconds(1500))
        for wrong in [-1, .nan, .infinity, 1e12] {
            let failure = #expect(throws: Failure.self) { try Seconds.parse(wrong, option: "--x") }
            #expect(failure?.message.hasPrefix("--x: ") == true)
        }
    }
}
