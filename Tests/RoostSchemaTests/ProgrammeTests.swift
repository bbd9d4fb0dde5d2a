import RoostModel
import RoostSchema
import Testing

/// Facts of the programme's matrix, read off the declaration.
struct ProgrammeTests {
    private let programme = Catalogue.programme

    @Test func `the programme's declaration has no problems`() {
        #expect(programme.problems.isEmpty)
    }
}
