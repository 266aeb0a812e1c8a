import Testing

/// Functions of BoringSSL's that serve one purpose, and a check that they do.
struct FunctionGroup: Sendable, CustomTestStringConvertible {
    /// The functions that the check calls, so that a failure names them.
    let functions: String
    /// Whether they do what the sources rely on.
    let works: @Sendable () throws -> Bool

    init(_ functions: String, _ works: @escaping @Sendable () throws -> Bool) {
        (self.functions, self.works) = (functions, works)
    }

    var testDescription: String { functions }
}

/// The module of BoringSSL that the sources import is a part of swift-nio-ssl that it doesn't offer to others
/// and may change in any version. These tests say what has, group by group.
@Suite("BoringSSL's functions, group by group")
struct FunctionGroupTests {
    @Test("Ciphers, hashes and randomness do what they are used for", arguments: FunctionGroup.primitives)
    func primitives(group: FunctionGroup) throws {
        #expect(try group.works(), "\(group.functions)")
    }

    @Test("Keys and certificates do what they are used for", arguments: FunctionGroup.certificates)
    func certificates(group: FunctionGroup) throws {
        #expect(try group.works(), "\(group.functions)")
    }

    @Test("Handshakes do what they are used for", arguments: FunctionGroup.handshakes)
    func handshakes(group: FunctionGroup) throws {
        #expect(try group.works(), "\(group.functions)")
    }
}
