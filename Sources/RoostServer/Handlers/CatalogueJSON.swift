import RoostSchema
import RoostSync

/// The catalogue as `/v1/schema` tells it: what a client in another language needs to show, check and sync rows.
///
/// Write rules stay on the server: a client learns from verdicts, and the rules would tell more than it needs.
extension Catalogue {
    var json: [UInt8] {
        jsonObject { writer in
            writer.name("version")
            writer.integer(Int64(version))
            writer.name("collections")
            writer.array { writer in
                for collection in collections where collection.syncClass != .serverOnly {
                    collection.write(to: &writer)
                }
            }
            writer.name("scopes")
            writer.array { writer in for scope in scopes { scope.write(to: &writer) } }
            writer.name("roles")
            writer.array { writer in for role in roles { role.write(to: &writer) } }
        }
    }
}

extension Collection {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("name")
            writer.plain(name.text)
            writer.name("class")
            writer.plain(syncClass.wireName)
            label.write(to: &writer)
            if let subject {
                writer.name("subject")
                writer.plain(subject.text)
            }
            if !fixed.isEmpty {
                writer.name("fixed")
                writer.array { writer in for name in fixed.sorted() { writer.plain(name.text) } }
            }
            if !leased.isEmpty {
                writer.name("leased")
                writer.array { writer in for position in leased { writer.plain(fields[position].name.text) } }
            }
            writer.name("fields")
            writer.array { writer in for field in fields { field.write(to: &writer) } }
        }
    }
}

extension SyncClass {
    fileprivate var wireName: String {
        switch self {
        case .register: "register"
        case .appendOnly: "append_only"
        case .authoritative: "authoritative"
        case .serverOnly: "server_only"
        }
    }
}

extension Label {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.name("label")
        writer.object { writer in
            writer.name("zh")
            writer.string(zh)
            writer.name("en")
            writer.string(en)
        }
    }
}

extension Field {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("name")
            writer.plain(name.text)
            kind.write(to: &writer)
            label.write(to: &writer)
            writer.name("group")
            writer.plain(group.text)
            if required {
                writer.name("required")
                writer.boolean(true)
            }
            if derivation != nil {
                writer.name("derived")
                writer.boolean(true)
            }
            if !initial.isNull {
                writer.name("initial")
                writer.value(initial)
            }
            if case .rank(let order, let reopens) = merge {
                writer.name("rank")
                writer.array { writer in for value in order { writer.string(value) } }
                writer.name("reopens")
                writer.string(reopens)
            }
        }
    }
}

extension FieldKind {
    fileprivate func write(to writer: inout JSONWriter) {
        func kind(_ name: StaticString) {
            writer.name("kind")
            writer.plain(name.description)
        }
        func limit(_ name: StaticString, _ value: Int64) {
            writer.name(name)
            writer.integer(value)
        }
        switch self {
        case .text(let max):
            kind("text")
            limit("max", Int64(max))
        case .personName: kind("person_name")
        case .integer(let range):
            kind("integer")
            limit("min", range.lowerBound)
            limit("max", range.upperBound)
        case .boolean: kind("boolean")
        case .code(let codes):
            kind("code")
            writer.name("codes")
            writer.array { writer in
                for code in codes {
                    writer.object { writer in
                        writer.name("value")
                        writer.string(code.value)
                        code.label.write(to: &writer)
                    }
                }
            }
        case .openCode(let max):
            kind("open_code")
            limit("max", Int64(max))
        case .partialDate: kind("partial_date")
        case .date: kind("date")
        case .instant: kind("instant")
        case .phone: kind("phone")
        case .email: kind("email")
        case .url: kind("url")
        case .reference(let target):
            kind("reference")
            writer.name("to")
            writer.plain(target.text)
        case .tags(let count, let max):
            kind("tags")
            limit("count", Int64(count))
            limit("max", Int64(max))
        case .predicate: kind("predicate")
        case .structure(let max):
            kind("structure")
            limit("max_bytes", Int64(max))
        case .identityDigest: kind("identity_digest")
        }
    }
}

extension ScopeKind {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("name")
            writer.plain(name.text)
            label.write(to: &writer)
            if let key {
                writer.name("key")
                writer.plain(key.text)
            }
            writer.name("views")
            writer.array { writer in for view in views { view.write(to: &writer) } }
        }
    }
}

extension View {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("collection")
            writer.plain(collection.text)
            writer.name("groups")
            writer.object { writer in
                for (group, sight) in sights.sorted(by: { $0.key < $1.key }) {
                    writer.name(plain: group.text)
                    writer.plain(sight.wireName)
                }
            }
        }
    }
}

extension Sight {
    /// `conditional` is decided row by row on the server.
    fileprivate var wireName: String {
        switch self {
        case .hidden: "hidden"
        case .masked: "masked"
        case .full: "full"
        case .when: "conditional"
        }
    }
}

extension Role {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("name")
            writer.plain(name.text)
            label.write(to: &writer)
            writer.name("scopes")
            writer.array { writer in for holding in holds { writer.plain(holding.kind.text) } }
            writer.name("rights")
            writer.array { writer in for right in rights.map(\.rawValue).sorted() { writer.plain(right) } }
        }
    }
}
