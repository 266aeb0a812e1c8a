import Testing

@testable import MHQKit

@Suite struct WorkloadTests {
    private static let home = "192.168.1.104:6666"
    private static let there = "192.168.1.105:6666"

    @Test(
        "The first experiment: notice, drain, command, pause, and the eleventh request with word of the move")
    func firstExperiment() {
        var settings = ClientScript.Settings(experiment: 1, interval: 5000)
        (settings.noticeAfter, settings.triggerAfter, settings.shutdownAfter) = (9, 10, 12)
        settings.isProactive = true
        var script = ClientScript(settings)
        let pause: [ClientScript.Step] = [.wait(milliseconds: 5000), .send(looksForServer: false)]
        for _ in 1...8 { #expect(script.responded(from: Self.home) == pause) }
        let notice: [ClientScript.Step] = [
            .command(.notice), .wait(milliseconds: 5000), .send(looksForServer: false),
        ]
        #expect(script.responded(from: Self.home) == notice)
        #expect(!script.isTriggered)
        #expect(
            script.responded(from: Self.home) == [
                .wait(milliseconds: 2000), .command(.migrate), .wait(milliseconds: 5000),
                .send(looksForServer: true),
            ])
        #expect(script.isTriggered)
        #expect(script.responded(from: Self.there) == pause)
        #expect(script.responded(from: Self.there) == [.command(.shutdown), .finish])
    }

    @Test("The second experiment ends with the tenth response from the new address, the first one included")
    func secondExperiment() {
        var settings = ClientScript.Settings(experiment: 2, interval: 0)
        (settings.noticeAfter, settings.triggerAfter) = (2, 3)
        var script = ClientScript(settings)
        for _ in 1...3 { _ = script.responded(from: Self.home) }
        #expect(script.responded(from: Self.home) == [.send(looksForServer: false)])
        for _ in 1...9 { #expect(script.responded(from: Self.there).last == .send(looksForServer: false)) }
        #expect(script.responded(from: Self.there) == [.command(.shutdown), .finish])
    }

    @Test("In the third experiment only the client that gives the notice ends the server")
    func thirdExperiment() {
        var settings = ClientScript.Settings(experiment: 3, interval: 10)
        settings.shutdownAfter = 1
        var other = ClientScript(settings)
        #expect(other.responded(from: Self.home) == [.finish])
        settings.noticeAfter = 1
        var last = ClientScript(settings)
        #expect(last.responded(from: Self.home) == [.command(.notice), .command(.shutdown), .finish])
        #expect(last.timedOut() == [.command(.shutdown), .finish])
    }

    @Test("Seeds are those of C++'s std::seed_seq")
    func seeds() {
        #expect(SeedSequence.generate(3, from: [1]) == [1_412_383_501, 2_058_941_775, 2_163_269_241])
        #expect(
            SeedSequence.generate(8, from: [20_922]) == [
                3_100_972_297, 576_305_882, 2_876_387_954, 2_619_912_186, 1_668_236_162, 1_768_213_016,
                3_022_753_465, 3_498_062_714,
            ])
    }

    @Test("22 of 100 drawn requests are POST, and the same seed draws the same")
    func requests() {
        let seeds = SeedSequence(master: 5)
        var (first, second) = (
            RequestSource(.fromDistribution, seeds: seeds), RequestSource(.fromDistribution, seeds: seeds)
        )
        let drawn = (0..<10_000).map { _ in first.next() }
        let again = (0..<10_000).map { _ in second.next() }
        #expect(drawn == again)
        #expect(abs(drawn.count(where: \.isPost) - 2200) < 150)
        #expect(drawn.allSatisfy { $0.isPost || $0.contentSize == 0 })
        var fixed = RequestSource(.fixed, seeds: seeds)
        #expect(fixed.next() == RequestSource.Request(isPost: true, path: "/echo", contentSize: 1024))
    }

    private func log(_ experiment: Int, responses: Int) -> ServiceTimeLog {
        var log = ServiceTimeLog(experiment: experiment, triggerAfter: 10, seed: 3)
        for number in 1...responses {
            log.note(
                .init(
                    timestamp: Int64(number), serviceTime: Int64(number) * 10, address: Self.home,
                    method: "POST",
                    requestSize: 1024, responseSize: 1024))
        }
        return log
    }

    @Test("The baseline keeps the fifth request, the first experiment the one after the trigger")
    func kept() {
        #expect(log(0, responses: 7).entries.map(\.timestamp) == [5])
        #expect(log(1, responses: 12).entries.map(\.timestamp) == [11])
        #expect(log(1, responses: 12).firstRequestAfterMigrationTriggered == 11)
        #expect(log(2, responses: 12).entries.count == 12)
        #expect(log(3, responses: 12).entries.isEmpty)
    }

    @Test("The file has the members that the experiment has, under the experiment's name")
    func files() {
        #expect(
            log(1, responses: 11).json
                == #"{"experiment":1,"serviceTimes":[110],"serverAddresses":["192.168.1.104:6666"],"#
                + #""firstRequestAfterMigrationTriggered":11}"#)
        #expect(
            log(4, responses: 1).json
                == #"{"experiment":4,"serviceTimes":[10],"serverAddresses":["192.168.1.104:6666"],"#
                + #""requestTimestamps":[1],"requestMethods":["POST"],"requestBodySizes":[1024],"#
                + #""responseBodySizes":[1024],"connectionEndedDueToTimeout":false,"seed":3}"#)
        #expect(log(4, responses: 1).fileName == "service_times_3.json")
        #expect(log(3, responses: 1).fileName == nil)
        var silent = log(2, responses: 1)
        silent.endedDueToTimeout = true
        #expect(silent.fileName == nil)
    }
}
