import Foundation

/// The configurations in `Examples/Thesis`.
enum ShippedExample {
    static let server = text("Examples/Thesis/server.json")
    static let client = text("Examples/Thesis/client.json")
    /// The page that explains them.
    static let page = text("Plans/repeating-the-thesis.md")

    private static func text(_ path: String) -> String {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        return (try? String(contentsOf: root.appending(path: path), encoding: .utf8)) ?? ""
    }
}
