package import Foundation

/// What a client of the application measures, as far as its experiment wants it, and how its file says it.
package struct ServiceTimeLog: Hashable, Sendable {
    /// One request and its response.
    package struct Entry: Hashable, Sendable {
        /// Unix time, µs.
        package var timestamp: Int64
        /// From the request to the last byte of the response, µs.
        package var serviceTime: Int64
        package var address: String
        package var method: String
        /// Bytes.
        package var requestSize: Int
        /// Bytes.
        package var responseSize: Int

        package init(
            timestamp: Int64, serviceTime: Int64, address: String, method: String, requestSize: Int,
            responseSize: Int
        ) {
            (self.timestamp, self.serviceTime, self.address) = (timestamp, serviceTime, address)
            (self.method, self.requestSize, self.responseSize) = (method, requestSize, responseSize)
        }
    }

    /// 0 to 6.
    package let experiment: Int
    private let triggerAfter: Int
    package let seed: UInt64
    /// What is kept.
    package private(set) var entries: [Entry] = []
    /// In experiments 1 and 2, counted from 1.
    package private(set) var firstRequestAfterMigrationTriggered: Int?
    /// Whether the connection was silent for too long.
    package var endedDueToTimeout = false
    private var responses = 0

    package init(experiment: Int, triggerAfter: Int, seed: UInt64) {
        (self.experiment, self.triggerAfter, self.seed) = (experiment, triggerAfter, seed)
    }

    /// Takes in a request that was answered.
    package mutating func note(_ entry: Entry) {
        responses += 1
        let isFirst = (1...2).contains(experiment) && responses == triggerAfter + 1
        if isFirst { firstRequestAfterMigrationTriggered = responses }
        switch experiment {
        case 0: if responses == 5 { entries.append(entry) }
        case 1: if isFirst { entries.append(entry) }
        case 3: break
        default: entries.append(entry)
        }
    }

    /// The file's name; nil when there is to be none.
    package var fileName: String? {
        switch experiment {
        case 3: nil
        case 4: "service_times_\(seed).json"
        case 0, 1, 2: endedDueToTimeout ? nil : "service_times.json"
        default: "service_times.json"
        }
    }

    /// What the file holds.
    package var json: String {
        var line = JSONLine()
        line.add("experiment", experiment)
        line.add("serviceTimes", numbers: entries.map(\.serviceTime))
        line.add("serverAddresses", entries.map(\.address))
        if (1...2).contains(experiment) {
            line.add(
                "firstRequestAfterMigrationTriggered",
                json: firstRequestAfterMigrationTriggered.map { "\($0)" } ?? "null")
        }
        if (4...6).contains(experiment) {
            line.add("requestTimestamps", numbers: entries.map(\.timestamp))
        }
        if experiment == 4 { addDetails(to: &line) }
        return line.finished()
    }

    private func addDetails(to line: inout JSONLine) {
        line.add("requestMethods", entries.map(\.method))
        line.add("requestBodySizes", numbers: entries.map { Int64($0.requestSize) })
        line.add("responseBodySizes", numbers: entries.map { Int64($0.responseSize) })
        line.add("connectionEndedDueToTimeout", endedDueToTimeout)
        line.add("seed", seed)
    }
}

extension JSONLine {
    fileprivate mutating func add(_ name: StaticString, numbers: [Int64]) {
        add(name, json: "[" + numbers.map(String.init).joined(separator: ",") + "]")
    }
}

extension ServiceTimeLog {
    /// What a client's file holds, as far as its experiment has it.
    private struct File: Decodable {
        var serviceTimes: [Int64]
        var serverAddresses: [String]
        var firstRequestAfterMigrationTriggered: Int?
        var requestTimestamps: [Int64]?
        var requestMethods: [String]?
        var requestBodySizes: [Int]?
        var responseBodySizes: [Int]?
        var connectionEndedDueToTimeout: Bool?
    }

    /// Takes in the file of a client that has ended.
    ///
    /// - Parameter names: what addresses are called, as far as they are called otherwise.
    package mutating func take(json: Data, names: [String: String]) throws {
        let file = try JSONDecoder().decode(File.self, from: json)
        firstRequestAfterMigrationTriggered = file.firstRequestAfterMigrationTriggered
        endedDueToTimeout = file.connectionEndedDueToTimeout ?? false
        entries = file.serviceTimes.indices.map { index in
            let address = file.serverAddresses[index]
            return Entry(
                timestamp: file.requestTimestamps?[index] ?? 0, serviceTime: file.serviceTimes[index],
                address: names[address] ?? address, method: file.requestMethods?[index] ?? "POST",
                requestSize: file.requestBodySizes?[index] ?? 0,
                responseSize: file.responseBodySizes?[index] ?? 0)
        }
    }
}
