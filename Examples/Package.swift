// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "godwit-examples",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "godwit", path: ".."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
    ],
    targets: [
        .executableTarget(
            name: "EchoServer",
            dependencies: [
                .product(name: "Godwit", package: "godwit"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(
            name: "EchoClient",
            dependencies: [
                .product(name: "Godwit", package: "godwit"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .executableTarget(
            name: "HTTP3Server",
            dependencies: [
                .product(name: "GodwitHTTP3", package: "godwit"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(
            name: "HTTP3Client",
            dependencies: [
                .product(name: "GodwitHTTP3", package: "godwit"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .executableTarget(
            name: "SimulatedEcho", dependencies: [.product(name: "GodwitSimulator", package: "godwit")]),
    ],
    swiftLanguageModes: [.v6]
)
