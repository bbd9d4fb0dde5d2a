import RoostSchema
import Testing

/// Broken declarations, one fault each, of a small programme that is otherwise sound.
struct CatalogueCheckTests {
    /// A library that lends books to readers of branches.
    private struct Library {
        var readerFields = [
            Field("name", .personName, "姓名", "name", headers: ["读者"]),
            Field("born", .partialDate, "生日", "born", group: "birth"),
            Field("digest", .identityDigest, "证件", "document", group: "identity"),
        ]
        var loanClass = SyncClass.authoritative
        var loanFields = [
            Field("reader", .reference("reader"), "借阅人", "reader", required: true),
            Field("branch", .reference("branch"), "分馆", "branch"),
            Field(
                "state", .code([Code("out", "借出", "out"), Code("back", "归还", "back")]), "状态", "state", initial: "out"),
        ]
        var loanSubject: FieldName? = "reader"
        var limits = [
            Limit("three_loans", per: "reader", when: .field("state", is: "out"), maximum: .constant(3)),
            Limit("room", per: "branch", when: .always, maximum: .field("room"), otherwise: ["state": "back"]),
        ]
        var extra: [Collection] = []
        var desk = ScopeKind(
            "desk", "前台", "desk", key: "branch", link: Link("loan", subject: "reader", key: "branch"),
            views: [View("reader", .subject), View("loan", .key("branch"))])
        var shelf = ScopeKind("shelf", "书架", "shelf", views: [View("branch", .everyRow)])
        var clerk = Role(
            "clerk", "馆员", "clerk", holds: [.target("desk")],
            writes: [WriteRule("loan", in: "desk", create: .field("state", is: "out"))])
        var authority = Authority(
            "duty", officer: "person", role: "role", target: "branch", when: .field("role", is: "clerk"))
        var commons: ScopeKindName = "shelf"
        var facets = [Facet("branch", "分馆", "branch", of: "loan", via: "reader", field: "branch", through: "room")]
        var templates = [
            SheetTemplate(
                "cards", "借书证", "cards",
                parts: [
                    SheetTemplate.Part("reader", "reader"),
                    SheetTemplate.Part("loan", "loan", references: ["reader": "reader"]),
                ])
        ]

        var problems: [CatalogueProblem] {
            let collections = [
                Collection("reader", .register, "读者", "reader", fields: readerFields),
                Collection(
                    "branch", .authoritative, "分馆", "branch",
                    fields: [Field("room", .integer(0...9), "容量", "room")]),
                Collection("loan", loanClass, "借阅", "loan", subject: loanSubject, limits: limits, fields: loanFields),
                Collection(
                    "duty", .authoritative, "值班", "duty",
                    fields: [
                        Field("person", .reference("reader"), "人员", "person"),
                        Field("branch", .reference("branch"), "值班分馆", "branch"),
                        Field("role", .code([Code("clerk", "馆员", "clerk")]), "角色", "role"),
                    ]),
            ]
            return Catalogue(
                version: 1, collections: collections + extra, scopes: [desk, shelf], roles: [clerk],
                authority: authority, commons: commons, facets: facets, templates: templates
            ).problems
        }
    }

    private func problem(_ code: CatalogueProblem.Code, _ spoil: (inout Library) -> Void) -> Bool {
        var library = Library()
        spoil(&library)
        return library.problems.contains { $0.code == code }
    }

    @Test func `a sound declaration has no problems`() { #expect(Library().problems == []) }

    @Test func `names are well formed, free and unique`() {
        #expect(problem(.illFormedName) { $0.readerFields.append(Field("Name2", .boolean, "二", "two")) })
        #expect(problem(.illFormedName) { $0.readerFields.append(Field("x", .boolean, "二", "two", group: "a b")) })
        for name in ["id", "stamp", "sequence", "overrides", "deleted", "unknown_fields", "group", "order", "from"] {
            #expect(problem(.reservedName) { $0.readerFields.append(Field(FieldName(name), .boolean, "二", "two")) })
        }
        #expect(
            problem(.reservedName) { $0.extra = [Collection("table", .register, "表", "table", fields: [])] })
        #expect(problem(.duplicateName) { $0.readerFields.append(Field("name", .boolean, "二", "two")) })
        #expect(
            problem(.duplicateName) { $0.extra = [Collection("loan", .register, "又", "again", fields: [])] })
        #expect(problem(.missingLabel) { $0.readerFields.append(Field("age", .boolean, "", "age")) })
    }

    @Test func `references lead somewhere`() {
        #expect(problem(.unknownCollection) { $0.readerFields.append(Field("book", .reference("book"), "书", "book")) })
        #expect(problem(.wrongReference) { $0.loanSubject = "state" })
        #expect(
            problem(.unknownField) {
                $0.limits = [Limit("x", per: "reader", when: .field("colour", is: 1), maximum: .constant(1))]
            })
        #expect(
            problem(.unknownField) {
                $0.limits = [Limit("x", per: "branch", when: .always, maximum: .field("size"))]
            })
        #expect(
            problem(.wrongReference) {
                $0.readerFields.append(
                    Field(
                        "last", .boolean, "末", "last",
                        derivation: .latest(of: "loan", via: "branch", when: .always, order: [], take: "state")))
            })
        #expect(
            problem(.unknownField) {
                $0.readerFields.append(
                    Field(
                        "young", .boolean, "幼", "young",
                        derivation: .younger(than: 9, birth: "age", presumedWhen: .never)))
            })
        #expect(
            problem(.wrongReference) {
                $0.facets = [Facet("x", "某", "x", of: "loan", via: "state", field: "branch")]
            })
        #expect(
            problem(.unknownField) {
                $0.facets = [Facet("x", "某", "x", of: "loan", via: "reader", field: "branch", through: "size")]
            })
    }

    @Test func `what a row says elsewhere stands in rows that stay as they are, and fits there`() {
        func note(_ syncClass: SyncClass, _ effect: Effect, subject: FieldName? = "reader") -> Collection {
            Collection(
                "note", syncClass, "便条", "note", subject: subject, effects: [effect],
                fields: [Field("reader", .reference("reader"), "读者", "reader"), Field("bad", .boolean, "坏", "bad")])
        }
        let sound = Effect(when: .field("bad", is: true), set: "born", to: "2000")
        #expect(!problem(.effectOfChangingRow) { $0.extra = [note(.appendOnly, sound)] })
        #expect(problem(.effectOfChangingRow) { $0.extra = [note(.register, sound)] })
        #expect(problem(.wrongReference) { $0.extra = [note(.appendOnly, sound, subject: nil)] })
        #expect(problem(.unknownField) { $0.extra = [note(.appendOnly, Effect(when: .always, set: "age", to: 1))] })
        #expect(problem(.invalidValue) { $0.extra = [note(.appendOnly, Effect(when: .always, set: "born", to: "x"))] })
    }

    @Test func `limits stand where the server alone decides, and replace values with fitting ones`() {
        #expect(problem(.limitOnRegister) { $0.loanClass = .register })
        #expect(
            problem(.invalidValue) {
                $0.limits = [
                    Limit("x", per: "branch", when: .always, maximum: .constant(1), otherwise: ["state": "lost"])
                ]
            })
        #expect(
            problem(.invalidValue) { $0.readerFields.append(Field("age", .integer(1...9), "龄", "age", initial: 0)) })
    }

    @Test func `no word and no header means two things`() {
        let codes = [Code("1", "男", "male", ["M"]), Code("2", "女", "female", ["m"])]
        #expect(problem(.ambiguousCode) { $0.readerFields.append(Field("sex", .code(codes), "性别", "sex")) })
        #expect(
            problem(.duplicateHeader) { $0.readerFields.append(Field("nick", .boolean, "昵称", "nick", headers: ["读者"])) }
        )
        let rank = MergeKind.rank(["1", "3"], reopens: "1")
        #expect(
            problem(.rankOutsideCodes) {
                $0.readerFields.append(Field("sex", .code([codes[0]]), "性别", "sex", merge: rank))
            })
        #expect(
            problem(.duplicateHeader) {
                $0.templates = [
                    SheetTemplate(
                        "cards", "证", "cards",
                        parts: [
                            SheetTemplate.Part("a", "reader", headers: ["name": ["某"]]),
                            SheetTemplate.Part("b", "reader", headers: ["born": ["某"]]),
                        ])
                ]
            })
    }

    @Test func `scopes attach rows in a way that fits them`() {
        func desk(_ views: View...) -> ScopeKind {
            ScopeKind(
                "desk", "前台", "desk", key: "branch", link: Link("loan", subject: "reader", key: "branch"), views: views)
        }
        let rule = View("loan", .key("branch"))
        #expect(problem(.wrongAttachment) { $0.desk = desk(rule, View("branch", .everyRow)) })
        #expect(problem(.wrongAttachment) { $0.desk = desk(rule, View("duty", .key("person"))) })
        #expect(problem(.wrongAttachment) { $0.desk = desk(rule, View("branch", .subject)) })
        #expect(problem(.duplicateView) { $0.desk = desk(rule, rule) })
        #expect(problem(.unknownGroup) { $0.desk = desk(rule, View("reader", .subject, ["secrets": .full])) })
        #expect(
            problem(.unknownField) {
                $0.desk = desk(
                    rule,
                    View("reader", .subject, ["main": .when(.field("age", is: 1), then: .full, otherwise: .hidden)]))
            })
        #expect(problem(.identityShown) { $0.desk = desk(rule, View("reader", .subject, ["identity": .masked])) })
        #expect(problem(.unknownCollection) { $0.desk = desk(rule, View("book", .subject)) })
        #expect(
            problem(.wrongReference) {
                $0.desk = ScopeKind(
                    "desk", "前台", "desk", key: "branch", link: Link("loan", subject: "reader", key: "reader"),
                    views: [rule])
            })
        #expect(problem(.unknownScope) { $0.commons = "desk" })
        #expect(problem(.unknownScope) { $0.commons = "attic" })
    }

    @Test func `roles hold scopes and write where they can see`() {
        func clerk(_ holds: [Holding], _ writes: [WriteRule] = []) -> Role {
            Role("clerk", "馆员", "clerk", holds: holds, writes: writes)
        }
        #expect(problem(.unknownScope) { $0.clerk = clerk([.shared("attic")]) })
        #expect(problem(.wrongHolding) { $0.clerk = clerk([.shared("desk")]) })
        #expect(problem(.wrongHolding) { $0.clerk = clerk([.own("desk")]) })
        #expect(problem(.wrongHolding) { $0.clerk = clerk([.target("shelf")]) })
        #expect(problem(.unreachableRule) { $0.clerk = clerk([], [WriteRule("loan", in: "desk")]) })
        #expect(problem(.unreachableRule) { $0.clerk = clerk([.target("desk")], [WriteRule("duty", in: "desk")]) })
        #expect(
            problem(.unknownGroup) {
                $0.clerk = clerk([.target("desk")], [WriteRule("loan", in: "desk", groups: ["secrets"])])
            })
        #expect(
            problem(.unknownRole) { library in
                library.clerk = Role("porter", "门卫", "porter", holds: [.target("desk")])
            })
    }

    @Test func `sheets name parts and fields that exist`() {
        func sheet(_ parts: SheetTemplate.Part..., evidence: [SheetTemplate.Evidence] = []) -> [SheetTemplate] {
            [SheetTemplate("cards", "证", "cards", parts: parts, evidence: evidence)]
        }
        #expect(problem(.unknownPart) { $0.templates = sheet(.init("a", "loan", references: ["reader": "b"])) })
        #expect(problem(.unknownCollection) { $0.templates = sheet(.init("a", "book")) })
        #expect(problem(.unknownField) { $0.templates = sheet(.init("a", "reader", headers: ["age": ["龄"]])) })
        #expect(problem(.invalidValue) { $0.templates = sheet(.init("a", "loan", constants: ["state": "lost"])) })
        #expect(
            problem(.unknownPart) {
                $0.templates = sheet(.init("a", "reader"), evidence: [.init(.strong, [.init("b", "name")])])
            })
    }
}
