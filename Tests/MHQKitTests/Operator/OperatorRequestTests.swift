import Godwit
import Testing

@testable import MHQKit

/// What operators and servers say to each other.
@Suite struct OperatorRequestTests {
    private static let ipv4 = NetworkAddress("192.0.2.7:4433")!
    private static let ipv6 = NetworkAddress("[2001:db8::7]:4433")!

    private static let elsewhere = NetworkAddress("192.0.2.9:4433")!

    private static let requests: [OperatorRequest] = {
        let destination = MigrationDestination(ipv4: ipv4, ipv6: ipv6)!
        var preparation = OperatorRequest.Preparation(
            plan: MigrationPlan(
                default: .combined(destination: destination), otherwise: [.symmetric],
                exceptions: [
                    ConnectionID([1, 0xab, 3])!: .poolOfAddresses,
                    ConnectionID([2])!: .explicit(destination: MigrationDestination(elsewhere)!),
                    ConnectionID([3])!: .explicit(destination: destination),
                ]),
            epoch: MigrationEpoch(rawValue: 3))
        preparation.deadline = .seconds(1.5)
        preparation.showsConnections = true
        let none = OperatorRequest.Preparation(plan: MigrationPlan(default: nil))
        let epoch = MigrationEpoch(rawValue: .max)
        return [
            .prepare(preparation), .prepare(none), .hold(epoch, releasesAddress: false),
            .hold(epoch, releasesAddress: true), .networkSwitched(epoch, to: []),
            .networkSwitched(epoch, to: [ipv4, ipv6]), .cancel(epoch), .status(showsConnections: true),
            .status(showsConnections: false), .pool(AddressPool([ipv4, ipv6])!), .pool(AddressPool()),
            .shutdown,
        ]
    }()

    @Test("What is written is what is read", arguments: requests)
    func roundTrip(request: OperatorRequest) throws {
        #expect(try OperatorRequest(line: request.line) == request)
        #expect(!request.line.contains("\n"))
    }

    @Test("'best' stands for the best that each client knows")
    func best() throws {
        let line = #"{"command":"prepare","strategy":"best","destinations":["192.0.2.7:4433"]}"#
        let plan = MigrationPlan.best(to: MigrationDestination(Self.ipv4)!)
        #expect(try OperatorRequest(line: line) == .prepare(.init(plan: plan)))
    }

    @Test(
        "What is wrong is named",
        arguments: [
            ("", "the request is no JSON object"),
            ("[1]", "the request is no JSON object"),
            (#"{"epoch":1}"#, "command: is missing"),
            (#"{"command":1}"#, "command: is no text"),
            (
                #"{"command":"go"}"#,
                "command: 'go' is none of prepare, hold, switch, cancel, pool, status, shutdown"
            ),
            (#"{"command":"hold"}"#, "epoch: is missing"),
            (#"{"command":"pool"}"#, "addresses: is missing"),
            (
                #"{"command":"pool","addresses":["192.0.2.7:4433","192.0.2.7:4433"]}"#,
                "addresses[1]: '192.0.2.7:4433' is not an IP:PORT of a host, stands there twice, or is one of "
                    + "more than 8"
            ),
            (#"{"command":"hold","epoch":-1}"#, "epoch: is no whole number from 0 on"),
            (#"{"command":"hold","epoch":1.5}"#, "epoch: is no whole number from 0 on"),
            (#"{"command":"hold","epoch":true}"#, "epoch: is no whole number from 0 on"),
            (#"{"command":"hold","epoch":1,"release":1}"#, "release: is neither true nor false"),
            (#"{"command":"cancel","epoch":1,"to":"x"}"#, "to: not a member of this request"),
            (
                #"{"command":"switch","epoch":1,"addresses":["1.2.3.4:5","1.2.3.4"]}"#,
                "addresses[1]: '1.2.3.4' is not an IP:PORT"
            ),
            (#"{"command":"switch","epoch":1,"addresses":[5]}"#, "addresses: is no list of texts"),
            (
                #"{"command":"prepare","strategy":"up"}"#,
                "strategy: 'up' is none of explicit, pool, symmetric, synchronized-symmetric, combined, best"
            ),
            (
                #"{"command":"prepare","strategy":"explicit"}"#,
                "destinations: the strategy needs one (IP:PORT)"
            ),
            (
                #"{"command":"prepare","strategy":"explicit","destinations":["1.2.3.4:5","1.2.3.5:5"]}"#,
                "destinations: there is one at most of each address family"
            ),
            (
                #"{"command":"prepare","strategy":"explicit","destinations":["0.0.0.0:5"]}"#,
                "destinations: no host can be reached at 0.0.0.0:5"
            ),
            (
                #"{"command":"prepare","strategy":"pool","deadline":-1}"#,
                "deadline: is no number of seconds from 0 to 3600"
            ),
            (
                #"{"command":"prepare","strategy":"pool","connections":{"xy":"pool"}}"#,
                "connections: 'xy' is no connection id"
            ),
            (
                #"{"command":"prepare","strategy":"pool","connections":{"0a":7}}"#,
                "connections.0a: is neither a strategy nor an object"
            ),
            (
                #"{"command":"prepare","strategy":"pool","connections":{"0a":{"strategy":"explicit"}}}"#,
                "destinations: the strategy needs one (IP:PORT)"
            ),
            (
                #"{"command":"prepare","strategy":"pool","connections":{"0a":{"strategy":"pool","to":1}}}"#,
                "to: not a member of this request"
            ),
            (
                #"{"command":"prepare","strategy":"pool","connections":{"0a":"no"}}"#,
                "connections.0a: 'no' is none of explicit, pool, symmetric, synchronized-symmetric, combined, best"
            ),
        ])
    func culprits(line: String, message: String) {
        #expect(throws: Failure(ExitCode.dataError, message)) { try OperatorRequest(line: line) }
    }

    @Test("Answers are read by people")
    func words() throws {
        let line =
            #"{"ok":true,"command":"status","state":"held","openConnections":2,"epoch":4,"#
            + #""isFinal":true,"ready":1,"connections":2,"summary":"1 ready, 1 timed out","#
            + #""outcomes":{"0a":"ready (combined)","0b":"timed out"},"address":"192.0.2.7:4433"}"#
        let report = try OperatorReport(line: line)
        #expect(
            MigrateRun.lines(.status(showsConnections: true), report) == [
                "held at 192.0.2.7:4433, 2 connections", "plan 4: 1 ready, 1 timed out",
                "  0a  ready (combined)", "  0b  timed out",
            ])
        #expect(throws: Failure.self) { try OperatorReport(line: "{}") }
    }
}
