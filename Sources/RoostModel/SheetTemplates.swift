package import RoostSchema

/// The sheets that the programme's people exchange.
package enum SheetTemplates {
    /// Every template; a sheet with the headers that tell a sort of sheet goes before the plain roster.
    package static let all = [admissions, members, roster]

    /// 高考录取去向: the education bureau's yearly sheet of school-leavers and where they were admitted.
    package static let admissions = SheetTemplate(
        "admissions", "教育局录取去向表", "education bureau admissions",
        parts: [student, newcomersUniversity, leaversSenior, guardian, admitted], evidence: evidence,
        ignoredHeaders: ignoredHeaders, tellingHeaders: ["录取院校", "录取学校", "录取专业"])

    /// 分部成员花名册: the members of the alliance's chapters.
    package static let members = SheetTemplate(
        "members", "联盟成员花名册", "alliance members",
        parts: [student, university, senior, guardian, membership, consent], evidence: evidence,
        ignoredHeaders: ignoredHeaders, tellingHeaders: ["所属分部", "分部", "分部职务"])

    /// A plain list of students.
    package static let roster = SheetTemplate(
        "roster", "学生花名册", "student roster", parts: [student, university, senior, guardian], evidence: evidence,
        ignoredHeaders: ignoredHeaders)

    /// What people put before a chapter's name or leave out of it.
    package static let chapterWords = ["青鹤联盟", "分部"]

    private static let ignoredHeaders = ["序号", "编号", "行号"]

    private static let student = SheetTemplate.Part(
        "student", "student", unresolved: ["home_div": "home_name"],
        identityFacts: [.birth: "birth", .gender: "gender"])

    private static let seniorLevels: [Value] = ["71", "61", "41", "44", "47"]

    private static let levelSpellings: [String: Value] = [
        "硕士在读": "14", "博士在读": "11", "本科在读": "21", "专科在读": "31", "高中在读": "61", "中职在读": "41", "高职专科": "31",
        "研究生在读": "14", "专升本": "21",
    ]

    private static func universityPart(sheetYear: Set<FieldName>) -> SheetTemplate.Part {
        SheetTemplate.Part(
            "university", "schooling", references: ["student": "student"], spellings: ["level": levelSpellings],
            unresolved: ["school": "school_name"], sheetYear: sheetYear,
            identity: [["school", "level"], ["school_name", "level"], ["entry", "level"], ["school", "entry"]],
            absorbs: (part: "senior", when: .field("level", in: seniorLevels)))
    }

    private static let university = universityPart(sheetYear: [])

    /// The bureau's sheet has no year column: it is about those admitted in its year.
    private static let newcomersUniversity = universityPart(sheetYear: ["entry"])

    private static let seniorHeaders: [FieldName: [String]] = [
        "school": ["毕业中学", "高中", "毕业高中", "高中学校", "中学", "生源中学"],
        "cohort": ["届", "届别", "毕业年份", "毕业届别", "高中毕业年份", "高考年份"],
    ]

    private static func seniorPart(headers: [FieldName: [String]], sheetYear: Set<FieldName>) -> SheetTemplate.Part {
        SheetTemplate.Part(
            "senior", "schooling", constants: ["level": "61", "status": "graduated"],
            references: ["student": "student"], headers: headers,
            fields: ["school", "school_name", "class_name", "cohort"],
            unresolved: ["school": "school_name"], sheetYear: sheetYear, among: .field("level", in: seniorLevels),
            hints: [
                SheetTemplate.Hint("level", "47", where: "school", contains: "技"),
                SheetTemplate.Hint("level", "44", where: "school", contains: "职"),
            ])
    }

    private static let senior = seniorPart(headers: seniorHeaders, sheetYear: [])

    private static let leaversSenior = seniorPart(
        headers: seniorHeaders.merging(["class_name": ["班级", "班别", "班"]]) { own, _ in own }, sheetYear: ["cohort"])

    private static let guardian = SheetTemplate.Part(
        "guardian", "guardian", references: ["student": "student"], landLines: ["phone"])

    private static let admitted = SheetTemplate.Part(
        "admitted", "stage_event", constants: ["kind": "admitted", "source": "bureau"],
        references: ["student": "student"], fields: [], sheetYear: ["occurred_on"], follows: "university")

    private static let membership = SheetTemplate.Part(
        "membership", "membership", references: ["student": "student"], identity: [["chapter"]])

    /// Signing is not dated in the sheet, so a consent counts from its import.
    ///
    /// One imported before is not repeated, so that an old sheet never revives what was withdrawn since.
    private static let consent = SheetTemplate.Part(
        "consent", "consent", constants: ["purpose": "chapter_share"], references: ["student": "student"],
        fields: ["state", "form_ref"], identity: [["purpose", "state"]], importMoment: ["at"])

    private static let evidence: [SheetTemplate.Evidence] = [
        SheetTemplate.Evidence(
            .exact, [.init("student", "id_digest")], confirmedBy: .init("student", "name")),
        SheetTemplate.Evidence(.strong, [.init("student", "name"), .init("student", "mobile")]),
        SheetTemplate.Evidence(
            .weak, [.init("student", "name"), .init("senior", "school"), .init("senior", "cohort")]),
        SheetTemplate.Evidence(
            .faint, [.init("student", "name"), .init("university", "school"), .init("university", "entry")]),
        SheetTemplate.Evidence(.trace, [.init("student", "name")]),
    ]
}
