import Foundation

/// A file of results, read as scripts read it: a header line, cells that may be quoted (RFC 4180 section 2).
struct ResultFile {
    let columns: [String]
    let rows: [[String: String]]

    init(_ path: String) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        guard text.hasSuffix("\n") else { throw Flaw("\(path): the last line does not end") }
        let lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(Self.cells)
        columns = lines.first ?? []
        rows = try lines.dropFirst().map { cells in
            guard cells.count == lines[0].count else { throw Flaw("\(path): \(cells.count) cells in a row") }
            return Dictionary(uniqueKeysWithValues: zip(lines[0], cells))
        }
    }

    struct Flaw: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private static func cells(_ line: Substring) -> [String] {
        var (cells, cell, isQuoted) = ([String](), [UInt8](), false)
        for byte in line.utf8 {
            switch byte {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted:
                cells.append(String(decoding: cell, as: UTF8.self))
                cell = []
            default: cell.append(byte)
            }
        }
        return cells + [String(decoding: cell, as: UTF8.self)]
    }
}

/// What Python's `ast.literal_eval` makes of a cell, as far as cells go.
enum PythonLiteral: Equatable {
    case number(Double)
    case text(String)
    case list([PythonLiteral])

    init(_ cell: String) throws {
        var rest = ArraySlice(cell.utf8)
        self = try Self.value(&rest)
        guard rest.isEmpty else { throw ResultFile.Flaw("'\(cell.prefix(60))' goes on behind a literal") }
    }

    private static func value(_ rest: inout ArraySlice<UInt8>) throws -> PythonLiteral {
        switch rest.first {
        case UInt8(ascii: "["): return .list(try elements(&rest))
        case UInt8(ascii: "'"):
            let text = rest.dropFirst().prefix { $0 != UInt8(ascii: "'") }
            rest = rest[text.endIndex...].dropFirst()
            return .text(String(decoding: text, as: UTF8.self))
        default:
            let digits = rest.prefix { !", ]".utf8.contains($0) }
            rest = rest[digits.endIndex...]
            guard let number = Double(String(decoding: digits, as: UTF8.self)) else {
                throw ResultFile.Flaw("'\(String(decoding: digits, as: UTF8.self))' is no number")
            }
            return .number(number)
        }
    }

    private static func elements(_ rest: inout ArraySlice<UInt8>) throws -> [PythonLiteral] {
        rest.removeFirst()
        var elements: [PythonLiteral] = []
        while let next = rest.first {
            if next == UInt8(ascii: "]") {
                rest.removeFirst()
                return elements
            }
            if !elements.isEmpty {
                guard rest.starts(with: ", ".utf8) else { throw ResultFile.Flaw("no comma in a list") }
                rest = rest.dropFirst(2)
            }
            elements.append(try value(&rest))
        }
        throw ResultFile.Flaw("a list does not end")
    }

    /// The elements of a list.
    var list: [PythonLiteral]? { if case .list(let elements) = self { elements } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
    var text: String? { if case .text(let text) = self { text } else { nil } }
}

extension [String: String] {
    /// The numbers of a list cell.
    func numbers(_ column: String) throws -> [Double] {
        try elements(column) { $0.number }
    }

    /// The texts of a list cell.
    func texts(_ column: String) throws -> [String] {
        try elements(column) { $0.text }
    }

    /// The lists of a list cell.
    func lists(_ column: String) throws -> [[String]] {
        try elements(column) { element in element.list.map { $0.compactMap(\.text) } }
    }

    private func elements<Element>(
        _ column: String, _ take: (PythonLiteral) -> Element?
    ) throws -> [Element] {
        let cell = self[column] ?? ""
        guard let list = try PythonLiteral(cell).list else { throw ResultFile.Flaw("\(column): no list") }
        return try list.map {
            guard let element = take($0) else { throw ResultFile.Flaw("\(column): \($0) is of another kind") }
            return element
        }
    }

    /// A number in a cell of its own; nil where the cell is empty.
    func number(_ column: String) throws -> Double? {
        guard let cell = self[column] else { throw ResultFile.Flaw("\(column): is missing") }
        if cell.isEmpty { return nil }
        guard let number = Double(cell) else { throw ResultFile.Flaw("\(column): '\(cell)' is no number") }
        return number
    }
}
