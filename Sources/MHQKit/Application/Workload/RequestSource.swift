/// What a client of the application asks for, one request after the other.
package struct RequestSource: Sendable {
    /// What requests are made of.
    package enum Body: Hashable, Sendable {
        /// 1024 bytes, POST to `/echo`.
        case fixed
        /// GET, or POST of drawn sizes, `/distribution`.
        case fromDistribution
    }

    /// One request.
    package struct Request: Hashable, Sendable {
        package var isPost: Bool
        package var path: String
        /// Bytes.
        package var contentSize: Int
        package var method: String { isPost ? "POST" : "GET" }
    }

    private let body: Body
    private var methods: SeededGenerator
    private var sizes: SeededGenerator

    private static let fixedSize = 1024
    /// The part of requests that are POST.
    private static let postProbability = 0.22

    package init(_ body: Body, seeds: SeedSequence) {
        self.body = body
        methods = SeededGenerator(state: UInt64(seeds.method))
        sizes = SeededGenerator(state: UInt64(seeds.contentSize))
    }

    /// The next request.
    package mutating func next() -> Request {
        guard body == .fromDistribution else {
            return Request(isPost: true, path: "/echo", contentSize: Self.fixedSize)
        }
        let isPost = Double(methods.next() >> 11) * 0x1p-53 < Self.postProbability
        let size = isPost ? ResponseSizeDistribution.postContents.next(using: &sizes) : 0
        return Request(isPost: isPost, path: "/distribution", contentSize: size)
    }
}

/// How large a server's answers to GET are: for each connection its own sequence, drawn from the master seed.
package struct ResponseSizes: Sendable {
    private var generator: SeededGenerator

    /// - Parameter connection: how many connections there were before.
    package init(master: UInt64, connection: Int) {
        var mixer = SeededGenerator(state: master)
        let salt = mixer.next()
        generator = SeededGenerator(state: salt &+ UInt64(connection) &* 0xd134_2543_de82_ef95)
    }

    /// The next size, in bytes.
    package mutating func next() -> Int { ResponseSizeDistribution.getResponses.next(using: &generator) }
}
