/// A file that is being sent.
struct OpenFile: Sendable {
    let content: ReadableFile
    let description: FileDescription
}
