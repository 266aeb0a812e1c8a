import Testing

/// The configurations that the thesis published: the same members, of the same kinds, in the same order. Addresses and
/// ports are those of a test, and what takes seconds takes milliseconds.
struct PublishedShape: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// 0 to 6.
    var experiment: Int
    /// After which response the client asks for the move; 0 for never.
    var triggerAfter: Int
    private let serverText: @Sendable (Places) -> String
    private let clientText: @Sendable (Places) -> String

    /// Where everybody is.
    struct Places: Sendable {
        var port: UInt16
        var managementPort: UInt16
        var commandPort: UInt16
        var keyFile: String
        let source = "127.0.0.1"
        let destination = "127.0.0.2"
    }

    func server(_ places: Places) -> String { serverText(places) }
    func client(_ places: Places) -> String { clientText(places) }

    static let all = [example] + (0...6).map { published($0) } + placeholders

    /// Where the server goes is nobody's, as it may be with the ways to move that don't say it.
    private static let placeholders = ["poolOfAddresses", "symmetric"].map { name in
        var first = difference(1)
        (first.protocolName, first.destination) = (name, "127.0.0.99")
        first.server = name == "symmetric" ? "false, false, true, false" : "false, true, false, false"
        return published(1, first, "experiment 1, \(name), without a destination")
    }

    // MARK: The two examples

    /// Those that ship, which are the published ones in other words.
    private static let example = PublishedShape(
        testDescription: "the examples", experiment: 1, triggerAfter: 2,
        serverText: { places in
            ShippedExample.server.replacing(":6666", with: ":\(places.port)").moved(places)
        },
        clientText: { places in
            ShippedExample.client.moved(places).replacing("127.0.1.1", with: places.destination)
                .replacing("8080", with: "\(places.commandPort)").replacing("10000", with: "10")
                .replacing("./keys.txt", with: places.keyFile)
        })

    // MARK: The experiments

    /// What differs between the published configurations.
    private struct Difference {
        /// Of both ends, in the order explicit, pool, symmetric, synchronized.
        var client = "true, true, true, true"
        var server = "true, false, false, false"
        var pool = #"["127.0.0.2:PORT", "127.0.0.3:PORT", "127.0.0.4:PORT"]"#
        var threads = 1
        var inflation = #"{"enable": false, "additionalBytes": 100000000}"#
        var pattern = #"{"sporadic": false, "backToBack": true}"#
        var body = #"{"fixed": true, "fromDistribution": false}"#
        var protocolName = "proactiveExplicit"
        /// Nil for where the server really goes.
        var destination: String?
        /// Notice, trigger and end.
        var steps = (0, 0, 0)
    }

    private static func difference(_ id: Int) -> Difference {
        let off = "false, false, false, false"
        let handover = #"{"sporadic": false, "sporadicInterval": 2000, "backToBack": true}"#
        return switch id {
        case 0:
            Difference(
                client: off, server: off, pool: "[]", protocolName: "reactiveExplicit", steps: (0, 0, 7))
        case 1:
            Difference(
                pattern: #"{"sporadic": true, "sporadicInterval": 5, "backToBack": false}"#,
                steps: (9, 10, 12))
        case 2:
            // Of 699 and 700 requests the first ones are like the others.
            Difference(inflation: #"{"enable": true, "additionalBytes": 0}"#, steps: (19, 20, 0))
        case 3:
            Difference(
                client: "true, false, true, false", server: "true, false, true, false", pool: "[]",
                threads: 0,
                pattern: #"{"sporadic": true, "sporadicInterval": 2, "backToBack": false}"#,
                protocolName: "reactiveExplicit", steps: (0, 0, 100))
        case 4:
            // The published one says false to both; the driver turns one on before it runs it.
            Difference(
                threads: 0, inflation: #"{"enable": true, "additionalBytes": 0}"#,
                pattern: #"{"sporadic": false, "sporadicInterval": 0, "backToBack": true}"#,
                body: #"{"fixed": false, "fromDistribution": true}"#)
        case 5:
            Difference(
                client: "true, false, true, false", server: "true, false, true, false", pool: "[]",
                inflation: #"{"enable": false, "additionalBytes": 0}"#, pattern: handover,
                protocolName: "reactiveExplicit")
        default:
            Difference(
                client: off, server: off, pool: "[]", inflation: #"{"enable": false, "additionalBytes": 0}"#,
                pattern: handover)
        }
    }

    private static func published(_ id: Int) -> PublishedShape {
        published(id, difference(id), "experiment \(id)")
    }

    private static func published(
        _ id: Int, _ difference: Difference, _ description: String
    ) -> PublishedShape {
        PublishedShape(
            testDescription: description, experiment: id, triggerAfter: difference.steps.1,
            serverText: { server(difference, $0) }, clientText: { client(id, difference, $0) })
    }

    private static func flags(_ text: String) -> [Substring] { text.split(separator: ", ") }

    private static func server(_ difference: Difference, _ places: Places) -> String {
        let ways = flags(difference.server)
        return """
            {
              "host": "\(places.source)", "port": \(places.port), "managementPort": \(places.managementPort),
              "numberOfWorkerThreads": \(difference.threads),
              "serverMigration": {
                "enable": \(ways.contains("true")), "explicit": \(ways[0]), "poolOfAddresses": \(ways[1]),
                "addressPool": \(difference.pool.replacing("PORT", with: "\(places.port)")),
                "symmetric": \(ways[2]), "synchronizedSymmetric": \(ways[3])
              },
              "memoryFootprintInflation": \(difference.inflation),
              "seed": 1
            }
            """
    }

    private static func client(_ id: Int, _ difference: Difference, _ places: Places) -> String {
        let ways = flags(difference.client)
        return """
            {
              "serverHost": "\(places.source)", "serverPort": \(places.port),
              "serverMigration": {
                "enable": \(ways.contains("true")), "explicit": \(ways[0]), "poolOfAddresses": \(ways[1]),
                "symmetric": \(ways[2]), "synchronizedSymmetric": \(ways[3])
              },
              "keyLogging": {"enable": false, "file": "./keys.txt"},
              "requestPattern": \(difference.pattern),
              "requestBody": \(difference.body),
              "seed": 1,
              "experiment": {
                "id": \(id), "serverManagementPort": \(places.managementPort),
                "containerMigrationScriptHost": "127.0.0.1",
                "containerMigrationScriptPort": \(places.commandPort),
                "serverMigrationProtocol": "\(difference.protocolName)",
                "serverMigrationHost": "\(difference.destination ?? places.destination)",
                "serverMigrationPort": \(places.port),
                "notifyImminentMigrationAfterRequest": \(difference.steps.0),
                "triggerMigrationAfterRequest": \(difference.steps.1),
                "shutdownAfterRequest": \(difference.steps.2)
              }
            }
            """
    }
}

extension String {
    /// With the ports of a test.
    fileprivate func moved(_ places: PublishedShape.Places) -> String {
        replacing("6666,", with: "\(places.port),").replacing("7777,", with: "\(places.managementPort),")
    }
}
