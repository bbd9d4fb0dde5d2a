import RoostSchema

/// What the programme tells: policies, opportunities, and the digests made of them.
enum Outreach {
    static let collections = [policy, opportunity, digest]

    /// The states of a digest from its release on.
    static let released: [Value] = ["sending", "sent", "partly_sent", "failed"]

    static let policy = Collection(
        "policy", .authoritative, "政策", "policy",
        fields: [
            Field("code", .openCode(max: 40), "编号", "code", headers: ["政策编号", "文号"], required: true),
            Field("title", .text(max: 200), "标题", "title", headers: ["政策名称"], required: true),
            Field("summary", .text(max: 300), "摘要", "summary"),
            Field("body", .text(max: 20_000), "正文", "body"),
            Field("url", .url, "链接", "link", headers: ["原文链接"]),
            Field("issuer", .text(max: 100), "发文单位", "issuer"),
            Field("tier", .code(Codes.policyTier), "层级", "tier"),
            Field("topic", .code(Codes.topic), "主题", "topic"),
            Field("valid_from", .date, "有效期起", "valid from"),
            Field("valid_to", .date, "有效期止", "valid to"),
            // As published, in units of 10,000 yuan, fractions included.
            Field("amount_cap", .text(max: 20), "资助上限（万元）", "amount cap (10,000 yuan)", headers: ["资助上限"]),
            Field("audience_text", .text(max: 300), "适用对象", "audience in words"),
            Field("audience", .predicate, "适用条件", "audience"),
            Field("version", .integer(1...1000), "版本", "version", initial: 1),
            Field("supersedes", .openCode(max: 40), "替代", "supersedes"),
            Field("status", .code(Codes.policyStatus), "发布状态", "status", initial: "published"),
            Field("author", .reference("officer"), "起草人", "author"),
        ])

    static let opportunity = Collection(
        "opportunity", .authoritative, "机会", "opportunity",
        fields: [
            Field("kind", .code(Codes.opportunityKind), "类别", "kind", required: true),
            Field("code", .openCode(max: 40), "编号", "code"),
            Field("title", .text(max: 200), "名称", "title", headers: ["岗位名称", "标题"], required: true),
            Field("employer", .text(max: 100), "用人单位", "employer", headers: ["主办单位"]),
            Field("industry", .openCode(max: 4), "行业门类", "industry"),
            Field("sector", .text(max: 60), "所属行业", "sector"),
            Field("headcount", .integer(0...100_000), "招聘人数", "headcount", headers: ["人数", "名额"]),
            Field("level_min", .code(Codes.level), "学历要求", "least level"),
            Field("majors", .tags(count: 30, max: 40), "专业要求", "majors"),
            Field("place", .text(max: 100), "工作地点", "place", headers: ["地点"]),
            Field("pay", .text(max: 60), "薪资待遇", "pay", headers: ["薪资"]),
            Field("starts_on", .date, "发布日期", "starts on", headers: ["开始日期", "认定日期"]),
            Field("ends_on", .date, "截止日期", "ends on", headers: ["结束日期"]),
            Field("contact_name", .text(max: 50), "联系人", "contact"),
            Field("contact_phone", .phone, "联系电话", "contact phone"),
            Field("url", .url, "详情链接", "link", headers: ["链接"]),
            Field("status", .code(Codes.opportunityStatus), "状态", "status", initial: "open"),
            Field("catalogue_year", .integer(2000...2100), "目录年度", "catalogue year"),
            Field("heat", .code(Codes.heat), "紧缺程度", "shortage"),
            // Apart, because everybody holds what is open.
            Field("note", .text(max: 500), "备注", "note", group: "internal"),
            Field("author", .reference("officer"), "录入人", "author"),
        ])

    /// `sections` is a list of `{"kind": "policy|jobs|industry|environment", "title", "items": [{"collection", "id",
    /// "text"}]}`; the composer checks its shape.
    static let digest = Collection(
        "digest", .authoritative, "推送", "digest", fixed: ["author"],
        fields: [
            Field("title", .text(max: 100), "标题", "title", required: true),
            Field("period", .text(max: 20), "期次", "period"),
            Field("intro", .text(max: 1000), "导语", "introduction"),
            Field("sections", .structure(max: 65_536), "栏目", "sections"),
            Field("audience", .predicate, "受众", "audience"),
            Field("channels", .tags(count: 10, max: 20), "渠道", "channels"),
            Field("status", .code(Codes.digestStatus), "状态", "status", initial: "draft"),
            Field("kind", .code(Codes.digestKind), "种类", "kind", initial: "regular"),
            Field("corrects", .reference("digest"), "更正对象", "corrects"),
            Field("scheduled_at", .instant, "计划发送时间", "scheduled at"),
            Field("missed", .code(Codes.missedTime), "错过时", "when missed", initial: "ask"),
            Field("sent_at", .instant, "发送时间", "sent at"),
            Field("note", .text(max: 300), "说明", "note"),
            Field("snapshot_hash", .text(max: 64), "定稿摘要值", "frozen content hash"),
            Field("author", .reference("officer"), "起草人", "author", required: true),
            Field("approver", .reference("officer"), "审批人", "approver"),
            // Identities of officers, none of whom may approve it; of a group that no device is shown or writes.
            Field("editors", .tags(count: 100, max: 36), "修改人", "editors", group: "trail"),
        ])
}
