/// A body that is made as its request leaves.
struct DepartingBody {
    /// How many bytes were announced.
    let count: Int
    let make: @Sendable () -> [UInt8]

    /// The body as of now; nil if it has not the length announced.
    var now: [UInt8]? {
        let body = make()
        return body.count == count ? body : nil
    }
}
