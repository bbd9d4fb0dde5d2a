import RoostClient
import RoostSchema
import RoostStore
import RoostSync

/// A student whose chapter may see contact details for as long as the student consents, and the coordinator's device.
enum Consenting {
    static func county(_ fields: [FieldName: Value] = [:]) async throws -> (ServedCounty, ServedDevice) {
        let county = try ServedCounty()
        let chapter = ServedCounty.id("华工分部")
        try await county.write(TrustedEdit("chapter", chapter, .create, ["name": "华工分部", "kind": "university"]))
        try await county.appoint("莫分部", "coordinator", target: chapter)
        try await county.appoint("谭联络", "liaison")
        try await county.enter("李明", for: "谭联络", fields)
        try await county.write(
            TrustedEdit(
                "membership", ServedCounty.id("m"), .create,
                ["student": .id(ServedCounty.id("李明")), "chapter": .id(chapter), "state": "active"]),
            says("granted", county))
        let device = try await county.device(of: "莫分部", "coordinator")
        try await device.sync()
        return (county, device)
    }

    static func says(_ state: Value, _ county: ServedCounty) -> TrustedEdit {
        TrustedEdit(
            "consent", ServedCounty.id("consent \(state)"), .create,
            [
                "student": .id(ServedCounty.id("李明")), "purpose": "chapter_share", "state": state,
                "at": .integer(county.bench.now.value),
            ])
    }
}
