import GodwitHTTP3Core
import GodwitQPACK

/// The rules that keep requests from being smuggled (RFC 9114 sections 4.1.2, 4.2 and 10.3), written anew and
/// as plainly as can be: what the machine lets through has to satisfy them.
enum HTTP3MessageRules {
    private static let connectionSpecific: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
    ]

    static func check(_ head: RequestHead) {
        let names = head.fields.prefix(head.pseudoHeaderCount).map(\.name)
        require(Set(names).count == names.count, "a pseudo-header field is there once")
        require(names.contains(":method"), "a request has a method")
        let known: Set<String> = [":method", ":scheme", ":authority", ":path", ":protocol"]
        require(known.isSuperset(of: names), "a request has only pseudo-header fields that it may have")
        checkLines(head, names)
        checkFields(head.fields, from: head.pseudoHeaderCount, inRequest: true)
    }

    private static func checkLines(_ head: RequestHead, _ names: [String]) {
        let lines = [
            (":method", head.methodLine), (":scheme", head.schemeLine), (":path", head.pathLine),
            (":authority", head.authorityLine), (":protocol", head.protocolLine),
        ]
        for (name, line) in lines { require(names.firstIndex(of: name) == line, "control data is found") }
        for line in head.fields.prefix(head.pseudoHeaderCount) {
            require(isPrintable(line.valueBytes), "control data has no controls and no spaces")
        }
        guard head.method != .connect else { return }
        require(names.contains(":scheme") && names.contains(":path"), "a request has a target")
    }

    private static func isPrintable(_ value: ArraySlice<UInt8>) -> Bool {
        value.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    }

    static func checkResponse(_ fields: FieldSection) {
        require(fields.first?.name == ":status", "a response begins with its status")
        checkFields(fields, from: 1, inRequest: false)
    }

    static func checkFields(_ fields: FieldSection, from first: Int, inRequest: Bool) {
        var lengths = 0
        for line in fields.dropFirst(first) {
            require(isName(line.nameBytes), "a name is a lowercase token")
            require(isValue(line.valueBytes), "a value has no controls, and no white space around it")
            require(!connectionSpecific.contains(line.name), "no connection-specific field comes through")
            if line.name == "te" { require(inRequest && line.value == "trailers", "te is trailers") }
            if line.name == "content-length" { lengths += 1 }
        }
        require(lengths <= 1, "the length of the content is said once")
    }

    private static func isName(_ name: ArraySlice<UInt8>) -> Bool {
        !name.isEmpty
            && name.allSatisfy { byte in
                97...122 ~= byte || 48...57 ~= byte || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
    }

    private static func isValue(_ value: ArraySlice<UInt8>) -> Bool {
        value.allSatisfy { $0 == 9 || $0 > 31 && $0 != 127 } && ![9, 32].contains(value.first ?? 0)
            && ![9, 32].contains(value.last ?? 0)
    }
}
