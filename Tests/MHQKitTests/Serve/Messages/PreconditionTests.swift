import Testing

@testable import MHQKit

@Suite struct PreconditionTests {
    private let file = Preconditions.Validators(tag: EntityTag(opaque: "abc"), modified: 784_111_777)
    private let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private let earlier = "Sun, 06 Nov 1994 08:49:36 GMT"
    private let later = "Sun, 06 Nov 1994 08:49:38 GMT"

    private func outcome(_ change: (inout Preconditions) -> Void) -> Preconditions.Outcome {
        var conditions = Preconditions()
        change(&conditions)
        return conditions.outcome(file)
    }

    @Test("Without conditions a request goes on")
    func none() { #expect(outcome { _ in } == .proceed) }

    @Test(
        "If-None-Match compares weakly (RFC 9110 section 13.1.2)",
        arguments: [
            ("\"abc\"", .notModified), ("W/\"abc\"", .notModified), ("\"x\", \"abc\"", .notModified),
            ("*", .notModified), (" * ", .notModified), ("\"x\"", .proceed), ("abc", .proceed),
            ("", .proceed),
            ("\"x\",W/\"abc\" , \"y\"", .notModified), ("\"ab\"c\"", .proceed),
            ("\"a,b\", \"abc\"", .notModified),
        ] as [(String, Preconditions.Outcome)])
    func ifNoneMatch(field: String, expected: Preconditions.Outcome) {
        #expect(outcome { $0.ifNoneMatch = field } == expected)
    }

    @Test(
        "If-Match compares strongly (RFC 9110 section 13.1.1)",
        arguments: [
            ("\"abc\"", .proceed), ("*", .proceed), ("W/\"abc\"", .failed), ("\"x\"", .failed), ("", .failed),
        ] as [(String, Preconditions.Outcome)])
    func ifMatch(field: String, expected: Preconditions.Outcome) {
        #expect(outcome { $0.ifMatch = field } == expected)
    }

    @Test("Dates are compared by the second (RFC 9110 sections 13.1.3 and 13.1.4)")
    func dates() {
        #expect(outcome { $0.ifModifiedSince = date } == .notModified)
        #expect(outcome { $0.ifModifiedSince = later } == .notModified)
        #expect(outcome { $0.ifModifiedSince = earlier } == .proceed)
        #expect(outcome { $0.ifModifiedSince = "yesterday" } == .proceed)
        #expect(outcome { $0.ifUnmodifiedSince = date } == .proceed)
        #expect(outcome { $0.ifUnmodifiedSince = earlier } == .failed)
        #expect(outcome { $0.ifUnmodifiedSince = "yesterday" } == .proceed)
    }

    @Test("Tags overrule dates (RFC 9110 section 13.2.2)")
    func order() {
        #expect(
            outcome {
                $0.ifNoneMatch = "\"x\""
                $0.ifModifiedSince = later
            } == .proceed)
        #expect(
            outcome {
                $0.ifMatch = "\"abc\""
                $0.ifUnmodifiedSince = earlier
            } == .proceed)
        #expect(
            outcome {
                $0.ifMatch = "\"x\""
                $0.ifNoneMatch = "\"abc\""
            } == .failed)
    }

    @Test("A range counts only for the content that the client has a part of (RFC 9110 section 13.1.5)")
    func ifRange() {
        func allows(_ field: String?, now: Int64 = 784_111_999) -> Bool {
            Preconditions(ifRange: field).allowsRange(file, now: now)
        }
        #expect(allows(nil))
        #expect(allows("\"abc\""))
        #expect(!allows("W/\"abc\""))
        #expect(!allows("\"x\""))
        #expect(!allows("*"))
        #expect(allows(date))
        #expect(!allows(later))
        #expect(!allows(earlier))
        #expect(!allows(date, now: 784_111_777))
    }
}

@Suite struct EntityTagTests {
    @Test("A tag is written and read in quotation marks (RFC 9110 section 8.8.3)")
    func text() {
        #expect(EntityTag(opaque: "a").text == "\"a\"")
        #expect(EntityTag(opaque: "a", isWeak: true).text == "W/\"a\"")
        #expect(EntityTag("\"a\"") == EntityTag(opaque: "a"))
        #expect(EntityTag(" W/\"\" ") == EntityTag(opaque: "", isWeak: true))
        for wrong in ["", "a", "\"a", "a\"", "\"a\"b", "w/\"a\"", "\"a b\"", "\"a\", \"b\""] {
            #expect(EntityTag(wrong) == nil, "\(wrong)")
        }
    }

    @Test("Weak and strong comparison (RFC 9110 section 8.8.3.2)")
    func comparison() {
        let (weak, strong) = (EntityTag(opaque: "1", isWeak: true), EntityTag(opaque: "1"))
        #expect(weak.isWeaklyEqual(to: weak) && !weak.isStronglyEqual(to: weak))
        #expect(weak.isWeaklyEqual(to: strong) && !weak.isStronglyEqual(to: strong))
        #expect(strong.isWeaklyEqual(to: strong) && strong.isStronglyEqual(to: strong))
        #expect(!strong.isWeaklyEqual(to: EntityTag(opaque: "2")))
    }
}
