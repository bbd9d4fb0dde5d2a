import Foundation
import Testing

/// Every state that a device can get into leads to rest over a good line, or to a stop that says what to do, and from
/// there to rest.
@Suite struct StateTableTests {
    /// Three events in a row by default; `ROOST_STATES` sets how many.
    private static let depth = ProcessInfo.processInfo.environment["ROOST_STATES"].flatMap { Int($0) } ?? 3

    @Test func `from every state that some events lead to, a good line brings a device to rest or says what to do`()
        async throws
    {
        let template = try await Template.make()
        defer { template.remove() }
        var walk = StateWalk()
        try await walk.walk(from: template, depth: Self.depth)
        for problem in walk.problems { Issue.record(Comment(rawValue: problem)) }
        print("\(walk.ways.count) states of a device")
        // What the walk is for: each mark of a state, and each way of waiting, is reached.
        let states = walk.ways.keys
        #expect(Set(states.map(\.outbox)) == [.empty, .waiting, .sent])
        let marks: [KeyPath<StateWalk.State, Bool>] = [
            \.hasRefused, \.isCopied, \.isOvertaken, \.isRevoked, \.mayNotCome, \.isOfThisHistory, \.isLoading,
            \.owesWord, \.isLocked, \.holdsStudents, \.hasRole,
        ]
        for mark in marks { #expect(Set(states.map { $0[keyPath: mark] }).count == 2, "\(mark)") }
        #expect(states.count > 60)
    }
}
