import RoostAPI

/// The people of the journey and their devices; what they do is told in the extensions, act by act.
struct Journey {
    let county: County
    let registrar: Device
    let liaison: Device
    /// Two devices of the same coordinator.
    let laptop: Device
    let phone: Device
    let mentor: Device

    /// Those who may edit a student of the chapter.
    var editors: [Device] { [registrar, liaison, laptop, phone] }

    /// Founds a county and brings the devices in.
    static func begun(settings: [String: String] = [:]) async throws -> Journey {
        let county = try await County.founded(settings: settings)
        return Journey(
            county: county,
            registrar: try await county.device("registrar", of: county.registrar),
            liaison: try await county.device("liaison", of: county.liaison),
            laptop: try await county.device("laptop", of: county.coordinator),
            phone: try await county.device("phone", of: county.coordinator),
            mentor: try await county.device("mentor", of: county.mentor))
    }

    func sync(_ devices: [Device]) async throws {
        for device in devices { try await device.roost("sync") }
    }

    /// The rows of all students a device shows.
    func students(on device: Device) async throws -> Set<String> {
        Set(try await device.roost("students", "list").list.compactMap(\.["id"].text))
    }

    /// What a device shows of a student.
    func fields(of student: String, on device: Device) async throws -> JSON {
        try await device.roost("students", "show", student)["fields"]
    }
}
