import Foundation
import HTTPTypes

/// What tells a file, and its content, from others.
struct FileIdentity: Hashable, Sendable {
    var device: UInt64
    var number: UInt64
    var size: Int64
    /// When its content was last changed.
    var modified: Int64
    var modifiedNanoseconds: Int64
    /// When anything about it was last changed.
    var changed: Int64
    var changedNanoseconds: Int64

    init(_ status: stat) {
        device = UInt64(truncatingIfNeeded: status.st_dev)
        number = UInt64(truncatingIfNeeded: status.st_ino)
        size = Int64(status.st_size)
        #if os(Linux)
        (modified, modifiedNanoseconds) = (Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec))
        (changed, changedNanoseconds) = (Int64(status.st_ctim.tv_sec), Int64(status.st_ctim.tv_nsec))
        #else
        (modified, modifiedNanoseconds) = (
            Int64(status.st_mtimespec.tv_sec), Int64(status.st_mtimespec.tv_nsec)
        )
        (changed, changedNanoseconds) = (
            Int64(status.st_ctimespec.tv_sec), Int64(status.st_ctimespec.tv_nsec)
        )
        #endif
    }

    /// Whether whoever changes the file from now on can't leave all of this as it is: times of files go on in
    /// steps. `now` is in nanoseconds since 1970.
    func isSettled(now: Int64) -> Bool { max(modified, changed) + 2 <= now / 1_000_000_000 }
}

/// What answers say about a file. It is made once and then remembered: making fields costs more than sending
/// a small file.
struct FileDescription: Sendable {
    let identity: FileIdentity
    let validators: Preconditions.Validators
    /// What the answer says that the client may keep its copy.
    let validatorFields: HTTPFields
    /// The same, and what kind of content it is.
    let fields: HTTPFields
    /// The same, and how long it is.
    let fieldsWithLength: HTTPFields

    var size: Int64 { identity.size }

    init(_ identity: FileIdentity, contentType: String) {
        self.identity = identity
        // Changes within a nanosecond that leave the size alone can't be told apart; nobody makes them.
        let nanoseconds = identity.modified &* 1_000_000_000 &+ identity.modifiedNanoseconds
        let tag = EntityTag(
            opaque: String(nanoseconds, radix: 16) + "-" + String(identity.size, radix: 16))
        validators = Preconditions.Validators(tag: tag, modified: identity.modified)
        var fields: HTTPFields = [.eTag: tag.text, .lastModified: HTTPTimestamp.text(identity.modified)]
        validatorFields = fields
        fields[.contentType] = contentType
        fields[.acceptRanges] = "bytes"
        self.fields = fields
        fields[.contentLength] = String(identity.size)
        fieldsWithLength = fields
    }
}
