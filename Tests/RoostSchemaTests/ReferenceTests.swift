import RoostDemo
import RoostModel
import RoostReference
import RoostSchema
import Testing

/// The lists that travel in the binary.
struct ReferenceTests {
    private func lines(_ list: roost_reference_list) -> [Substring] {
        let bytes = unsafe UnsafeBufferPointer(start: list.bytes, count: list.count)
        return unsafe String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
    }

    @Test func `the lists are whole`() {
        #expect(unsafe lines(roost_reference_schools()).count == 2654)
        #expect(unsafe lines(roost_reference_divisions()).count == 3434)
        #expect(unsafe lines(roost_reference_school_aliases()).count > 20)
        #expect(unsafe lines(roost_reference_senior_schools()).count == 11)
    }

    @Test func `the schools of the demo county are in the lists`() {
        let county = DemoCounty(seed: 1, today: 20_000)
        var known: Set<RowID> = []
        for line in unsafe lines(roost_reference_schools()) {
            let columns = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            known.insert(Programme.schoolRow(code: columns[0], name: columns[1]))
        }
        for line in unsafe lines(roost_reference_senior_schools()) {
            let columns = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            known.insert(Programme.schoolRow(code: "", name: columns[0]))
        }
        #expect(county.schools.isSubset(of: known))
    }
}
