import RoostSchema
import RoostSheets
import RoostSync

/// What libFuzzer calls with bytes of its invention; the first chooses the reader.
///
/// A reader may refuse anything, but may neither trap, nor hang, nor read something that it then writes otherwise.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let bytes = unsafe Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    switch unsafe start[0] {
    case UInt8(ascii: "r"):
        guard let request = try? ExchangeRequest(json: bytes) else { return 0 }
        guard let again = try? ExchangeRequest(json: request.json), again == request else {
            fatalError("a request is not what was written of it")
        }
    case UInt8(ascii: "a"): _ = try? ExchangeAnswer(json: bytes)
    case UInt8(ascii: "v"):
        guard let value = try? Value(json: bytes) else { return 0 }
        guard let again = try? Value(json: value.json), again.json == value.json else {
            fatalError("a value is not what was written of it")
        }
    case UInt8(ascii: "s"): _ = try? Sheet(reading: bytes)
    case UInt8(ascii: "c"): _ = try? Condition(parsing: String(decoding: bytes, as: UTF8.self))
    default: break
    }
    return 0
}
