import HTTPTypes
import NIOCore
import Testing

@testable import MHQKit

@Suite struct RouteTests {
    @Test(
        "A few paths lead to test resources, the others to files",
        arguments: [
            ("/echo", .echo), ("/echo?x", .echo), ("/echo/", .file), ("/distribution", .distribution),
            ("/bytes/0", .bytes(0)), ("/bytes/1000?x=/", .bytes(1000)),
            ("/bytes/1000000000000", .bytes(1_000_000_000_000)),
            ("/bytes/", .unusableCount), ("/bytes/-1", .unusableCount), ("/bytes/+1", .unusableCount),
            ("/bytes/1000000000001", .unusableCount), ("/bytes/99999999999999999999", .unusableCount),
            ("/bytes/1x", .unusableCount), ("/bytes", .file), ("/", .file), ("/a/echo", .file),
        ] as [(String, Route)])
    func routes(target: String, route: Route) { #expect(Route(target: target) == route) }
}

@Suite struct EchoedFieldsTests {
    @Test("Content keeps its type and length, other fields come back under another name")
    func fields() {
        let echoed = EchoedFields.make(of: [.contentType: "a/b", .contentLength: "5", .userAgent: "test"])
        #expect(echoed[.contentType] == "a/b")
        #expect(echoed[.contentLength] == "5")
        #expect(echoed[HTTPField.Name("x-echo-user-agent")!] == "test")
        #expect(echoed.count == 3)
    }

    @Test("An echo is not much larger than a client can take")
    func limit() {
        var fields: HTTPFields = [:]
        for index in 0..<100 {
            fields.append(
                HTTPField(name: HTTPField.Name("x-\(index)")!, value: String(repeating: "a", count: 100)))
        }
        let echoed = EchoedFields.make(of: fields)
        #expect(10..<50 ~= echoed.count)
    }
}

@Suite struct FillerTests {
    @Test("Each byte is its offset modulo 251, over the end of the block, too")
    func content() {
        let bytes = Array(Filler.prefix(1_000_000).readableBytesView)
        #expect(bytes.count % 251 == 0)
        #expect(bytes.enumerated().allSatisfy { $1 == UInt8($0 % 251) })
        #expect(Filler.prefix(3) == ByteBuffer(bytes: [0, 1, 2]))
        #expect(Filler.prefix(0).readableBytes == 0)
    }
}

@Suite struct SizeGeneratorTests {
    @Test("The same seed gives the same sizes, another one others")
    func seeds() {
        func sizes(_ seed: UInt64?) -> [Int] {
            var generator = SizeGenerator(seed: seed)
            return (0..<200).map { _ in generator.next() }
        }
        #expect(sizes(1) == sizes(1))
        #expect(sizes(1) != sizes(2))
        #expect(sizes(nil).allSatisfy { 500...799_500 ~= $0 })
        #expect(Set(sizes(1)).count > 10)
    }
}
