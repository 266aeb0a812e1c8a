/// What a header section says about capsules (RFC 9297 sections 3.2 and 3.4).
struct CapsuleUse: Sendable {
    /// Whether there is a Capsule-Protocol field, whatever its value.
    private(set) var isNamed = false
    /// Whether it says that the data stream is made of capsules.
    private(set) var isClaimed = false
    /// The name of a field that describes content, of which a data stream of capsules has none.
    private var contentField: StaticString?

    /// Takes a line of the Capsule-Protocol field. Several lines are a list, which says nothing.
    mutating func take(_ value: UnsafeRawBufferPointer) {
        var reader = StructuredFieldReader(value)
        isClaimed = !isNamed && reader.readItem() == .boolean(true)
        isNamed = true
    }

    /// Takes note of a field that does not go with capsules.
    mutating func takeContentField(_ name: StaticString) { contentField = name }

    /// What every message with capsules must keep to.
    func check() throws(MalformedMessage) {
        guard isClaimed, let contentField else { return }
        throw MalformedMessage("\(contentField)", "in a message whose content is capsules")
    }

    /// What the response of an extended CONNECT must keep to; one that does not succeed has no capsules.
    func check(status: Int) throws(MalformedMessage) {
        guard isClaimed, 200...299 ~= status else { return }
        guard !(204...206 ~= status) else {
            throw MalformedMessage(":status", "one that does not go with capsules")
        }
        try check()
    }
}
