import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// What leaves the server shows no more than its receiver may see.
struct OutwardSightTests {
    private static let catalogue = Catalogue.programme

    /// A row of the collection with these values, everything else empty.
    private func row(_ name: CollectionName, _ values: [FieldName: Value]) throws -> RoostSync.Row {
        let position = try #require(Self.catalogue.position(of: name))
        return RoostSync.Row(
            key: RowKey(position, RowID(bits: 7)),
            values: Self.catalogue.collections[position].fields.map { values[$0.name] ?? .null },
            stamp: Stamp(bits: 1))
    }

    private func shown(_ row: RoostSync.Row, to role: RoleName?, _ field: FieldName) throws -> Value? {
        let collection = Self.catalogue.collections[row.key.collection]
        let position = try #require(collection.position(of: field))
        return OutwardSight(role, Self.catalogue).shown(row)?.values[position]
    }

    @Test func `a receiver sees what everybody does, and with a role what the role holds as a whole`() throws {
        let group = try row("contact_group", ["name": "2026届群", "note": "群主常换", "keeper_name": "温三"])
        #expect(try shown(group, to: nil, "name") == "2026届群")
        #expect(try shown(group, to: nil, "note") == .null)
        #expect(try shown(group, to: "registrar", "note") == "群主常换")
        // What a keeper is shown of the own groups is not for an endpoint, which keeps none.
        #expect(try shown(group, to: "liaison", "keeper_name") == .null)
        #expect(try shown(group, to: "mentor", "note") == .null)
    }

    @Test func `a row that is not everybody's is nothing to a receiver without a role`() throws {
        let draft = try row("policy", ["title": "草案", "status": "draft"])
        #expect(try shown(draft, to: nil, "title") == nil)
        #expect(try shown(draft, to: "registrar", "title") == "草案")
        let student = try row("student", ["name": "谭一"])
        #expect(try shown(student, to: nil, "name") == nil)
        #expect(try shown(student, to: "mentor", "name") == nil)
        #expect(try shown(student, to: "coordinator", "name") == nil)
    }

    @Test func `a field that a role may not see is in no message to it`() async throws {
        let opportunity = try #require(Self.catalogue["opportunity"])
        let fields = opportunity.fields.map { field in
            field.name == "pay" ? Field("pay", .text(max: 60), "薪资待遇", "pay", group: "internal") : field
        }
        let catalogue = Self.catalogue.replacing(
            RoostSchema.Collection(opportunity.name, .authoritative, "机会", "opportunity", fields: fields))
        let world = try await DigestWorld(catalogue: catalogue)
        _ = try await world.add(
            EndpointDraft(name: "合作方", channel: "generic", address: "https://example.com/1", payloadRole: "mentor"))
        _ = try await world.add("群", "wecom", "0123456789abcdef0123")
        try await world.fixture.write([TrustedEdit("opportunity", DigestWorld.job, .edit, ["pay": "面议八千"])])
        _ = try await world.released(channels: ["generic", "wecom"])
        let leased = try await world.queue.lease(now: world.moment, limit: 9)
        #expect(leased.count == 2)
        for delivery in leased {
            let text = String(decoding: delivery.body, as: UTF8.self)
            #expect(text.contains("结构设计工程师") && !text.contains("面议八千"))
        }
    }

    @Test func `a role is one of the catalogue's, and for webhooks alone`() async throws {
        let world = try await DigestWorld()
        for (channel, address, role) in [
            ("generic", "https://example.com/1", "king"), ("wecom", "0123456789abcdef0123", "mentor"),
        ] {
            let refusal = await #expect(throws: Refusal.self) {
                try await world.endpoints.add(
                    EndpointDraft(name: "x", channel: channel, address: address, payloadRole: role),
                    by: OutreachFixture.administrator)
            }
            #expect(refusal?.reason == "unknown_role")
        }
        let added = try await world.add(
            EndpointDraft(name: "y", channel: "generic", address: "https://example.com/1", payloadRole: "registrar"))
        #expect(added.endpoint.payloadRole == "registrar")
        let edited = try await world.endpoints.edit(
            try world.row(added.endpoint.id), EndpointDraft(payloadRole: ""), by: OutreachFixture.administrator)
        #expect(edited.endpoint.payloadRole == nil)
    }
}
