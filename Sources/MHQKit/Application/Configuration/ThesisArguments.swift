/// The command line of the thesis's program in the words of ours.
///
/// `--mode=server --config=FILE` becomes `server --config FILE`, with one or two dashes, with or without `=`. The
/// flags of its logging library, `--v=N` and `--logtostderr`, say how much we log.
package enum ThesisArguments {
    /// - Returns: the arguments as our commands take them; those of other commands as they are.
    package static func translated(_ arguments: [String]) -> [String] {
        var words = arguments[...]
        var command: [String] = []
        if let first = words.first, first == "server" || first == "client" {
            command = [first]
            words.removeFirst()
        } else if !isThesis(words) {
            return arguments
        }
        var others: [String] = []
        while let word = words.popFirst() {
            guard let flag = Flag(word) else {
                others.append(word)
                continue
            }
            switch flag.name {
            case "mode": command = [value(flag, &words) ?? ""]
            case "v": others += ["--log-level", level(value(flag, &words))]
            case "logtostderr", "alsologtostderr", "nologtostderr": break
            default: others.append(flag.isLong ? "--" + flag.text : word)
            }
        }
        return command + others
    }

    private static func isThesis(_ words: ArraySlice<String>) -> Bool {
        guard words.first?.hasPrefix("-") ?? false else { return false }
        return words.contains { Flag($0)?.name == "mode" }
    }

    private struct Flag {
        /// Without dashes.
        var text: String
        var name: String
        var value: String?

        /// Those of one letter have one dash in our commands, too.
        var isLong: Bool { name.count > 1 }

        init?(_ word: String) {
            guard word.hasPrefix("-") else { return nil }
            text = String(word.drop { $0 == "-" })
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            name = String(parts[0])
            value = parts.count > 1 ? String(parts[1]) : nil
        }
    }

    private static func value(_ flag: Flag, _ words: inout ArraySlice<String>) -> String? {
        flag.value ?? words.popFirst()
    }

    private static func level(_ verbosity: String?) -> String {
        switch verbosity.flatMap({ Int($0) }) ?? 0 {
        case ...0: "notice"
        case 1: "info"
        case 2: "debug"
        default: "trace"
        }
    }
}
