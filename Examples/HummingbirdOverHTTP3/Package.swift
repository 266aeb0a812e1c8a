// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the other examples don't have to build Hummingbird. Its folder can't have that name
// alone: a package is known by its folder, and there would be two.
//
//     swift run --package-path Examples/HummingbirdOverHTTP3
let package = Package(
    name: "godwit-hummingbird-example",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "godwit", path: "../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .executableTarget(
            name: "HummingbirdOverHTTP3",
            dependencies: [
                .product(name: "GodwitHTTP3", package: "godwit"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
