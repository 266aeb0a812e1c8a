/// A file that is being sent.
struct OpenFile: Sendable {
    let content: FileContent
    let description: FileDescription
}
