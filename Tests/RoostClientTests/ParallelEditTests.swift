import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// Two people edit one student on two devices, neither having seen the other's edit.
@Suite struct ParallelEditTests {
    @Test
    func `edits of other fields are told on both devices, with who, where and what stands, and nothing to decide`()
        async throws
    {
        let county = try ServedCounty()
        try await county.appoint("谭联络", "liaison")
        try await county.enter("李明", for: "谭联络", ["mobile": "+8619900000001"])
        let laptop = try await county.device(of: "谭联络", "liaison")
        let phone = try await county.device(of: "谭联络", "liaison")
        try await laptop.sync()
        try await phone.sync()
        county.bench.advance(1000)
        try laptop.edit("李明", ["wechat": "liming"])
        county.bench.advance(1000)
        try phone.edit("李明", ["note_public": "暑假回来"])
        try await laptop.sync()
        try await phone.sync()
        try await laptop.sync()
        for device in [laptop, phone] {
            let found = try device.desk.parallelEdits()
            let parallel = try #require(found.first)
            #expect(found.count == 1)
            #expect(parallel.row == ServedCounty.id("李明") && parallel.collection == "student")
            #expect(parallel.earlier.standing == ["wechat": "liming"] && parallel.earlier.device == "laptop 1")
            #expect(parallel.later.standing == ["note_public": "暑假回来"] && parallel.later.device == "laptop 2")
            #expect(parallel.later.author == ServedCounty.id("谭联络"))
            #expect(try device.replica.status().openConflicts == 0)
            #expect(try device.desk.conflicts(all: true).isEmpty)
        }
        // Having seen it all, nobody overlooks anything; and what was set anew is no longer what the note was about.
        county.bench.advance(1000)
        try phone.edit("李明", ["wechat": "other"])
        try await phone.sync()
        let parallel = try #require(try phone.desk.parallelEdits().first)
        #expect(try phone.desk.parallelEdits().count == 1)
        #expect(parallel.earlier.standing.isEmpty && parallel.earlier.fields == ["wechat"])
        county.bench.advance(Desk.parallelsToldFor + 1)
        #expect(try phone.desk.parallelEdits().isEmpty)
        #expect(try phone.desk.parallelEdits(all: true).count == 1)
    }

    @Test func `a device behind its lease tells which field was set, and not to what`() async throws {
        let county = try ServedCounty()
        try await county.appoint("谭联络", "liaison")
        try await county.enter("李明", for: "谭联络", ["mobile": "+8619900000001"])
        let devices = [
            try await county.device(of: "谭联络", "liaison"), try await county.device(of: "谭联络", "liaison"),
        ]
        for device in devices { try await device.sync() }
        county.bench.advance(1000)
        try devices[0].edit("李明", ["mobile": "+8619900000002"])
        try devices[1].edit("李明", ["note_public": "暑假回来"])
        for device in devices { try await device.sync() }
        #expect(try devices[1].desk.parallelEdits().first?.earlier.standing == ["mobile": "+8619900000002"])
        county.bench.advance(40 * 86_400_000)
        let parallel = try #require(try devices[1].desk.parallelEdits(all: true).first)
        #expect(parallel.earlier.fields == ["mobile"] && parallel.earlier.standing.isEmpty)
    }
}
