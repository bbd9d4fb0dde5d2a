// swift-tools-version: 6.2
import PackageDescription

// Roost's targets, from the pure middle outwards. A target may import only what it names here
// (`deploy/test` checks it); README.md shows the graph.

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")

let package = Package(
    name: "roost",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "roostd", targets: ["roostd"]),
        .executable(name: "roost", targets: ["roost"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: ["YAML", "CommandLineArguments"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Pure: values and rules; no I/O, no clock, no Foundation.
        .target(name: "RoostSchema"),
        .target(name: "RoostModel", dependencies: ["RoostSchema"]),
        .target(name: "RoostDemo", dependencies: ["RoostSchema", "RoostModel"]),
        .target(name: "RoostSync", dependencies: ["RoostSchema"]),
        .target(name: "RoostAPI", dependencies: ["RoostSchema", "RoostSync"]),

        // Edges: one technology each.
        .target(name: "RoostText"),
        .target(name: "RoostSheets", dependencies: ["RoostSchema", "RoostText"]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "Zlib", dependencies: ["CZlib"]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(
            name: "RoostStore", dependencies: ["RoostSchema", "RoostSync", "Zlib", "CSQLite", crypto, grdb, sqlite]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "Curl", dependencies: ["CCurl"]),
        .target(name: "RoostCourier", dependencies: ["Curl", crypto]),
        .target(name: "RoostReference"),

        // The two sides.
        .target(
            name: "RoostServer",
            dependencies: [
                "RoostSchema", "RoostModel", "RoostSync", "RoostAPI", "RoostStore", "RoostSheets", "RoostText",
                "RoostCourier", "RoostDemo", "RoostReference", "Curl", "Zlib", crypto, logging, metrics, coreMetrics,
                hummingbird,
                hummingbirdCore, hummingbirdTLS, nioCore, nioPosix, nioSSL, httpTypes, lifecycle, unixSignals,
            ]),
        .target(
            name: "RoostClient",
            dependencies: [
                "RoostSchema", "RoostModel", "RoostSync", "RoostAPI", "RoostStore", "RoostSheets", "RoostText",
                "RoostReference", "Curl",
            ]),

        // Executables: arguments, configuration, wiring.
        .executableTarget(
            name: "roostd",
            dependencies: [
                "RoostServer", "RoostModel", "RoostSchema", "RoostSync", "RoostStore", arguments, configuration,
                lifecycle,
                unixSignals, logging,
            ]),
        .executableTarget(
            name: "roost",
            dependencies: [
                "RoostClient", "RoostAPI", "RoostModel", "RoostSchema", "RoostSync", "RoostStore", "RoostSheets",
                "RoostText", "Curl", arguments,
            ]),
        .executableTarget(
            name: "roost-bench",
            dependencies: [
                "RoostServer", "RoostClient", "RoostAPI", "RoostModel", "RoostSchema", "RoostSync", "RoostStore",
                "RoostCourier", "Curl", "CCurl", grdb, sqlite,
                nioCore, nioPosix, nioSSL, arguments, logging,
            ]),

        .testTarget(
            name: "RoostSchemaTests",
            dependencies: ["RoostSchema", "RoostModel", "RoostDemo", "RoostReference", "RoostSync"]),
        .testTarget(name: "ZlibTests", dependencies: ["Zlib"]),
        .testTarget(
            name: "RoostSyncTests", dependencies: ["RoostSync", "RoostSchema", "RoostModel"],
            resources: [.copy("Vectors")]),
        .testTarget(
            name: "RoostStoreTests",
            dependencies: ["RoostStore", "RoostSync", "RoostSchema", "RoostModel", "Zlib", grdb],
            resources: [.copy("Databases")]),
        .testTarget(
            name: "RoostSheetsTests", dependencies: ["RoostSheets", "RoostText", "RoostSchema", "RoostModel"],
            resources: [.copy("Rosters")]),
        .testTarget(
            name: "RoostClientTests",
            dependencies: [
                "RoostClient", "RoostStore", "RoostSheets", "RoostSync", "RoostSchema", "RoostModel", "RoostAPI",
            ]),
        .target(name: "CRebinding", path: "Tests/CRebinding"),
        .testTarget(name: "RoostCourierTests", dependencies: ["RoostCourier", "Curl", "CRebinding", crypto]),
        .testTarget(
            name: "RoostServerTests",
            dependencies: [
                "RoostServer", "RoostClient", "RoostAPI", "RoostStore", "RoostModel", "RoostSchema", "RoostSync",
                "RoostCourier", "Curl", "Zlib", logging, lifecycle,
            ]),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "RoostClient", "RoostAPI", "RoostStore", "RoostSync", "RoostSchema", "Zlib", grdb,
            ]),
        .testTarget(name: "EndToEndTests", dependencies: ["RoostAPI", "RoostSchema", "Curl", crypto]),
    ]
)

// `deploy/test` names some tests to build them otherwise, in a folder of their own, with nothing that they do not need.
if let named = Context.environment["ROOST_TESTS"] {
    var needed = Set(named.split(separator: " ").map(String.init))
    var waiting = needed
    while let name = waiting.popFirst() {
        for dependency in package.targets.first(where: { $0.name == name })?.dependencies ?? [] {
            if case .byNameItem(let other, _) = dependency, needed.insert(other).inserted { waiting.insert(other) }
        }
    }
    package.targets.removeAll { !needed.contains($0.name) }
    package.products = []
}

// One strict settings loop, so that no target is forgotten.
for target in package.targets where target.type != .system && !["RoostReference", "CRebinding"].contains(target.name) {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("ImmutableWeakCaptures"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
        .treatWarning("DeprecatedDeclaration", as: .warning),
        .strictMemorySafety(),
    ]
}
