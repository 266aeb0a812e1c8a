/// The fields that make a request depend on what the client has already (RFC 9110 section 13.1).
struct Preconditions: Hashable, Sendable {
    var ifMatch: String?
    var ifNoneMatch: String?
    var ifModifiedSince: String?
    var ifUnmodifiedSince: String?
    var ifRange: String?

    /// What becomes of the request.
    enum Outcome: Hashable {
        case proceed
        /// The client has it already: 304.
        case notModified
        /// The client has something else: 412.
        case failed
    }

    /// What the file is like.
    struct Validators: Hashable, Sendable {
        var tag: EntityTag
        /// When it was last changed, in seconds since 1970.
        var modified: Int64
    }

    /// What becomes of a GET or HEAD, in the order of RFC 9110 section 13.2.2.
    func outcome(_ file: Validators) -> Outcome {
        if let ifMatch {
            let matches = EntityTagList(ifMatch).contains { $0.isStronglyEqual(to: file.tag) }
            guard matches else { return .failed }
        } else if let date = ifUnmodifiedSince.flatMap(HTTPTimestamp.parse), file.modified > date {
            return .failed
        }
        if let ifNoneMatch {
            let matches = EntityTagList(ifNoneMatch).contains { $0.isWeaklyEqual(to: file.tag) }
            return matches ? .notModified : .proceed
        }
        if let date = ifModifiedSince.flatMap(HTTPTimestamp.parse), file.modified <= date {
            return .notModified
        }
        return .proceed
    }

    /// Whether a Range field counts: only if the part that the client has is one of the same content (RFC
    /// 9110 section 13.1.5).
    ///
    /// - Parameter now: seconds since 1970. A date tells contents apart only if the file was not changed in
    ///   the same second again, which can't be known before that second is over (RFC 9110 section 8.8.2.2).
    func allowsRange(_ file: Validators, now: Int64) -> Bool {
        guard let ifRange else { return true }
        if let tag = EntityTag(ifRange) { return tag.isStronglyEqual(to: file.tag) }
        return HTTPTimestamp.parse(ifRange) == file.modified && now > file.modified
    }
}
