import RoostSchema

/// Who answers for whom: officers, what they may do, their students, contacts made and things to do.
enum Care {
    static let collections = [officer, authorityGrant, liaison, touch, task]

    /// The card everybody sees; private numbers and secrets live in accounts, which never leave the server.
    static let officer = Collection(
        "officer", .authoritative, "工作人员", "officer",
        fields: [
            Field("name", .personName, "姓名", "name", required: true),
            Field("unit", .text(max: 100), "单位", "unit", headers: ["工作单位", "所属单位"]),
            Field("unit_div", .openCode(max: 12), "单位所在区划", "unit division"),
            Field("post", .text(max: 60), "职务", "post", headers: ["岗位"]),
            Field("work_phone", .phone, "办公电话", "work phone", headers: ["公务电话"]),
            Field("capacity", .integer(0...10_000), "容量", "capacity", headers: ["联络容量"]),
            Field("expertise", .tags(count: 20, max: 30), "专长", "expertise"),
            Field("degree", .text(max: 40), "学历学位", "degree"),
            Field("term_from", .date, "任期起", "term from"),
            Field("term_to", .date, "任期止", "term to"),
            Field("status", .code(Codes.officerStatus), "状态", "status", initial: "serving"),
            // Apart, because everybody holds the card.
            Field("note", .text(max: 500), "备注", "note", group: "internal"),
        ])

    static let authorityGrant = Collection(
        "authority_grant", .authoritative, "授权", "grant", fixed: ["officer", "role", "target"],
        expiry: Expiry(after: "valid_to", when: .field("state", is: "active"), set: "state", to: "ended"),
        fields: [
            Field("officer", .reference("officer"), "工作人员", "officer", required: true),
            Field("role", .code(Codes.role), "角色", "role", required: true),
            Field("target", .reference("chapter"), "分部", "target", headers: ["所属分部"]),
            Field("valid_from", .date, "任期起", "valid from"),
            Field("valid_to", .date, "任期止", "valid to"),
            Field("state", .code(Codes.grantState), "状态", "state", initial: "active"),
            Field("reason", .text(max: 300), "事由", "reason"),
        ])

    private static func active(_ kinds: Value...) -> Condition {
        .all([.field("kind", in: kinds), .field("state", is: "active")])
    }

    static let liaison = Collection(
        "liaison", .authoritative, "联络关系", "liaison", subject: "student",
        limits: [
            Limit("one_active_liaison", per: "student", when: active("liaison"), maximum: .constant(1)),
            Limit("two_active_mentors", per: "student", when: active("mentor"), maximum: .constant(2)),
            Limit(
                "officer_capacity", per: "officer", when: active("liaison", "mentor"), maximum: .field("capacity"),
                otherwise: ["state": "proposed"]),
        ],
        fixed: ["student", "officer", "kind", "arranged_by", "occasion"],
        fields: [
            Field("student", .reference("student"), "学生", "student", required: true),
            Field("officer", .reference("officer"), "联络人", "officer", headers: ["联络员"], required: true),
            Field("kind", .code(Codes.liaisonKind), "联络类型", "kind", required: true),
            Field("state", .code(Codes.liaisonState), "联络状态", "state", initial: "proposed"),
            Field("begins_on", .date, "开始日期", "begins on"),
            Field("ends_on", .date, "结束日期", "ends on"),
            Field("end_reason", .code(Codes.endReason), "结束原因", "end reason", group: "arrangement"),
            // Why there is a link at all; only somebody newly entered stays in view of whoever proposed it.
            Field(
                "occasion", .code(Codes.liaisonOccasion), "建立缘由", "occasion", group: "arrangement",
                initial: "assignment"),
            Field("arranged_by", .reference("officer"), "经办人", "arranged by", group: "arrangement"),
            Field("reason", .text(max: 300), "事由", "reason", group: "arrangement"),
        ])

    static let touch = Collection(
        "touch", .appendOnly, "联系记录", "touch", subject: "student",
        effects: [Effect(when: .field("result", is: "wrong_number"), set: "mobile_state", to: "wrong")],
        fields: [
            Field("student", .reference("student"), "学生", "student", required: true),
            Field("officer", .reference("officer"), "联络人", "officer", headers: ["联络员"], required: true),
            Field("at", .instant, "联系时间", "at", required: true),
            Field("channel", .code(Codes.touchChannel), "联系方式", "channel", required: true),
            Field("result", .code(Codes.touchResult), "联系结果", "result"),
            Field(
                "visibility", .code(Codes.visibility), "可见范围", "visibility", required: true, initial: "liaison"),
            Field("event", .reference("opportunity"), "关联活动", "event"),
            Field("next_on", .date, "下次联系", "next on"),
            Field("summary", .text(max: 2000), "纪要", "summary", headers: ["内容"], group: "notes"),
        ])

    static let task = Collection(
        "task", .register, "任务", "task", subject: "student", fixed: ["student", "kind", "origin", "raised_by"],
        fields: [
            Field("student", .reference("student"), "学生", "student"),
            Field("kind", .code(Codes.taskKind), "任务类型", "kind", required: true),
            // Where the task came from; a chapter sees the orders it raised and no others.
            Field("origin", .code(Codes.taskOrigin), "提出渠道", "origin", required: true, initial: "liaison"),
            Field("topic", .code(Codes.topic), "主题", "topic", initial: "other"),
            Field("title", .text(max: 100), "标题", "title", required: true),
            Field("detail", .text(max: 2000), "详情", "detail"),
            Field("due_on", .date, "办理期限", "due on"),
            Field(
                "status", .code(Codes.taskStatus), "办理状态", "status", initial: "open",
                merge: .rank(["open", "doing", "waiting", "done", "cancelled"], reopens: "open")),
            Field("raised_by", .reference("officer"), "提出人", "raised by"),
            Field("assignee", .reference("officer"), "承办人", "assignee"),
            Field("result", .text(max: 2000), "办理结果", "result", group: "answer"),
            Field("rating", .integer(1...5), "满意度", "rating", group: "answer"),
            Field("touch", .reference("touch"), "关联联系记录", "touch", group: "answer"),
        ])
}
