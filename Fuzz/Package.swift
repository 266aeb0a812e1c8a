// swift-tools-version: 6.2
import PackageDescription

// scripts/fuzz.sh builds this with libFuzzer. A plain `swift build` gives an executable that replays inputs.
let package = Package(
    name: "godwit-fuzz",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "godwit", path: "..")],
    targets: [
        .executableTarget(
            name: "fuzz",
            dependencies: [.product(name: "_GodwitFuzzing", package: "godwit")],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
