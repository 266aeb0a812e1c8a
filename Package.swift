// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// What other packages give.
let locks: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "godwit",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "Godwit", targets: ["Godwit"]),
        .library(name: "GodwitHTTP3", targets: ["GodwitHTTP3"]),
        .library(name: "GodwitSimulator", targets: ["GodwitSimulator"]),
        .executable(name: "mhq", targets: ["mhq"]),
        // For the package in Fuzz alone; no part of the API.
        .library(name: "_GodwitFuzzing", targets: ["GodwitFuzzing"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
    ],
    targets: [
        .target(name: "GodwitWire", swiftSettings: strict),
        .target(
            name: "GodwitCrypto",
            dependencies: [
                "GodwitWire",
                locks, nioSSL,
            ],
            swiftSettings: strict),
        .target(
            name: "GodwitCore",
            dependencies: ["GodwitMigration", "GodwitWire", "GodwitCrypto"],
            swiftSettings: strict),
        .target(name: "CGodwitSocket"),
        .target(
            name: "Godwit",
            dependencies: [
                "GodwitCore", "GodwitCrypto", "GodwitMigration", "GodwitWire", "CGodwitSocket",
                locks, nioCore, nioPosix, logging, metrics, lifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "GodwitSimulator",
            dependencies: ["GodwitCore", "GodwitCrypto", "GodwitMigration", "GodwitWire"],
            swiftSettings: strict),
        .target(name: "GodwitMigration", dependencies: ["GodwitWire"], swiftSettings: strict),
        .target(name: "GodwitQPACK", dependencies: ["GodwitWire"], swiftSettings: strict),
        .target(
            name: "GodwitHTTP3Core", dependencies: ["GodwitQPACK", "GodwitWire"], swiftSettings: strict),
        .target(
            name: "GodwitHTTP3",
            dependencies: [
                "Godwit", "GodwitHTTP3Core", "GodwitQPACK", "GodwitWire",
                httpTypes, locks, nioCore, nioPosix, logging, metrics, lifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "GodwitFuzzing",
            dependencies: ["GodwitCore", "GodwitCrypto", "GodwitHTTP3Core", "GodwitQPACK", "GodwitWire"],
            swiftSettings: strict),
        .target(
            name: "MHQKit",
            dependencies: [
                "Godwit", "GodwitHTTP3", "GodwitSimulator",
                httpTypes, locks, nioCore, nioHTTP1, nioPosix, nioSSL, logging, metrics, signals,
                subprocess, system,
            ],
            swiftSettings: strict),
        .target(
            name: "GodwitTestbed",
            dependencies: [
                "MHQKit", "GodwitSimulator", "GodwitCore", "GodwitHTTP3Core", "GodwitMigration",
                "GodwitQPACK", "GodwitWire", "CGodwitSocket",
                locks, subprocess, system,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "mhq",
            dependencies: [
                "MHQKit", "GodwitTestbed", "Godwit",
                arguments, logging,
            ],
            swiftSettings: strict),
        // What the transport costs without the async API; see Benchmarks/README.md.
        .executableTarget(
            name: "CoreBenchmark",
            dependencies: [
                "MHQKit", "GodwitCore", "GodwitCrypto", "GodwitWire", "CGodwitSocket",
                arguments,
            ],
            path: "Benchmarks/Core", swiftSettings: strict),
        // Clients that leave nothing out, for scripts/soak.sh.
        .executableTarget(
            name: "Soak",
            dependencies: [
                "GodwitHTTP3",
                arguments, httpTypes, locks, nioCore, nioPosix,
            ],
            path: "Benchmarks/Soak", swiftSettings: strict),
        .target(name: "CSanitizerOptions", path: "Tests/CSanitizerOptions"),
        .target(
            name: "GodwitTestSupport", dependencies: [locks, logging, metrics, nioCore, nioPosix],
            path: "Tests/GodwitTestSupport", swiftSettings: strict),
        .testTarget(
            name: "GodwitWireTests", dependencies: ["GodwitWire", "CSanitizerOptions"],
            swiftSettings: strict),
        .testTarget(
            name: "GodwitMigrationTests", dependencies: ["GodwitMigration", "GodwitWire"],
            swiftSettings: strict),
        .testTarget(
            name: "GodwitQPACKTests", dependencies: ["GodwitQPACK", "GodwitWire"], swiftSettings: strict),
        .testTarget(
            name: "GodwitHTTP3CoreTests",
            dependencies: ["GodwitHTTP3Core", "GodwitQPACK", "GodwitWire"], swiftSettings: strict),
        .testTarget(
            name: "GodwitCryptoTests", dependencies: ["GodwitCrypto", "GodwitWire"], swiftSettings: strict),
        .testTarget(
            name: "GodwitCoreTests",
            dependencies: ["GodwitCore", "GodwitCrypto", "GodwitFuzzing", "GodwitMigration", "GodwitWire"],
            swiftSettings: strict),
        .testTarget(
            name: "GodwitSimulatorTests",
            dependencies: [
                "GodwitSimulator", "GodwitCore", "GodwitCrypto", "GodwitMigration", "GodwitWire",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "GodwitTests",
            dependencies: [
                "Godwit", "GodwitCore", "GodwitCrypto", "GodwitMigration", "GodwitTestSupport", "GodwitWire",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "GodwitHTTP3Tests",
            dependencies: [
                "GodwitHTTP3", "Godwit", "GodwitHTTP3Core", "GodwitQPACK", "GodwitTestSupport", "GodwitWire",
                httpTypes, locks, nioCore, nioPosix, logging, metrics, lifecycle,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MHQKitTests",
            dependencies: [
                "MHQKit", "Godwit", "GodwitHTTP3", "GodwitSimulator", "GodwitTestSupport", "GodwitWire",
                "mhq",
                httpTypes, locks, nioCore, nioHTTP1, nioPosix, nioSSL, logging, metrics,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "GodwitTestbedTests",
            dependencies: [
                "GodwitTestbed", "MHQKit", "GodwitMigration", "GodwitSimulator", "GodwitWire", "mhq",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "GodwitCaptureTests", dependencies: ["GodwitCrypto", "GodwitMigration", "GodwitWire"],
            swiftSettings: strict),
        .testTarget(name: "InteropTests", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
