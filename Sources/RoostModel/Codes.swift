import RoostSchema

/// The closed lists of the programme, in rising order where an order has meaning.
enum Codes {
    /// GB/T 2261.1-2003.
    static let gender = [
        Code("0", "未知", "unknown", ["未知的性别"]),
        Code("1", "男", "male", ["M", "男性", "先生"]),
        Code("2", "女", "female", ["F", "女性", "女士"]),
        Code("9", "未说明", "not stated", ["未说明的性别"]),
    ]

    /// GB/T 4658-2006, lowest first, so that `level>=本科` reads as people mean it.
    ///
    /// The standard's codes mean "completed"; here `status` of a schooling says how far it got. The three vocational
    /// kinds follow each other, so that "中职及以上" holds all of them.
    static let level = [
        Code("71", "初中", "junior secondary", ["初级中学", "初中毕业"]),
        Code("61", "高中", "senior secondary", ["普通高中", "高级中学", "普高"]),
        Code(
            "41", "中专", "secondary specialised",
            ["中职", "中等专业学校", "中等职业教育", "中等职业学校", "普通中专", "成人中专"]),
        Code("44", "职高", "vocational secondary", ["职业高中", "职业中学", "职中"]),
        Code("47", "技校", "technical school", ["技工学校", "技师学院", "高级技校"]),
        Code(
            "31", "专科", "associate",
            ["大专", "高职", "高职（专科）", "高职(专科)", "高职高专", "普通专科", "全日制专科", "大学专科", "专科批", "高专"]),
        Code(
            "21", "本科", "bachelor",
            ["大学本科", "普通本科", "全日制本科", "本科批", "本科（提前批）", "本科(提前批)", "提前批本科", "学士", "大学"]),
        Code("14", "硕士", "master", ["硕士研究生", "研究生", "全日制硕士", "专业硕士", "学术硕士"]),
        Code("11", "博士", "doctorate", ["博士研究生", "直博", "全日制博士"]),
    ]

    /// GB/T 6864-2003, by class.
    static let degree = [
        Code("4", "学士", "bachelor's degree", ["学士学位"]),
        Code("3", "硕士", "master's degree", ["硕士学位"]),
        Code("2", "博士", "doctor's degree", ["博士学位"]),
        Code("1", "名誉博士", "honorary doctorate"),
    ]

    static let majorScheme = [
        Code("undergraduate", "本科专业目录", "undergraduate catalogue"),
        Code("graduate", "研究生学科目录", "graduate catalogue"),
        Code("vocational", "职业教育专业目录", "vocational catalogue"),
    ]

    static let mobileState = [
        Code("unknown", "未核实", "not verified"),
        Code("ok", "有效", "works", ["正常"]),
        Code("wrong", "空号", "wrong number", ["错号", "停机"]),
    ]

    static let tier = [
        Code("normal", "普通", "normal", ["一般"]),
        Code("key", "重点", "key", ["重点人才", "重点跟踪"]),
    ]

    static let intent = [
        Code("unknown", "未了解", "unknown", ["不详", "未知"]),
        Code("no", "不考虑回乡", "no", ["否", "不回", "无意向"]),
        Code("maybe", "考虑中", "maybe", ["可能", "待定", "观望"]),
        Code("yes", "有意回乡", "yes", ["是", "愿意", "有意向"]),
        Code("returned", "已回乡", "returned", ["已返乡"]),
    ]

    /// What a person is doing now; the order is roughly that of life and carries no meaning in comparisons.
    static let stage = [
        Code("senior", "高中在读", "in senior school", ["中职在读", "高中生"]),
        Code("admitted", "已录取", "admitted", ["录取"]),
        Code("enrolled", "高校在读", "enrolled", ["在读", "已入学", "大学在读", "在校"]),
        Code("interning", "实习中", "interning", ["实习", "见习"]),
        Code("graduated", "已毕业", "graduated", ["毕业", "毕业离校"]),
        Code(
            "further_study", "升学", "further study",
            ["国内升学", "考研", "专升本", "保研", "读研", "深造", "升学深造", "复读"]),
        Code("abroad", "出国出境", "abroad", ["出国", "出境", "留学", "出国（境）", "出国(境)", "出国留学", "境外升学"]),
        Code("employed_local", "本地就业", "employed at home", ["在鹤就业", "鹤山就业", "本市就业", "回乡就业"]),
        Code(
            "employed_away", "外地就业", "employed elsewhere",
            ["就业", "已就业", "签就业协议", "签劳动合同", "单位就业", "灵活就业", "市外就业", "自由职业"]),
        Code("startup", "创业", "starting up", ["自主创业", "返乡创业"]),
        Code("civil_exam", "考公考编", "civil service exam", ["考公", "公务员", "事业单位", "考编", "备考"]),
        Code("seeking", "待就业", "seeking work", ["未就业", "求职中", "待业", "求职"]),
        Code("military", "参军入伍", "in the army", ["参军", "入伍", "应征入伍", "服役"]),
        Code("returned", "已返乡", "returned", ["返乡", "回乡"]),
        Code("lost_contact", "失联", "lost contact", ["联系不上"]),
        Code("deceased", "去世", "deceased", ["已故"]),
    ]

    static let stageSource = [
        Code("self", "本人", "the person"), Code("liaison", "联络员", "liaison officer"),
        Code("coordinator", "分部", "chapter", ["分部负责人"]), Code("mentor", "导师", "mentor"),
        Code("school", "学校", "school"), Code("bureau", "教育局", "education bureau"),
        Code("import", "表格导入", "imported sheet"),
    ]

    static let schoolingStatus = [
        Code("enrolled", "在读", "enrolled", ["在校"]), Code("graduated", "毕业", "graduated", ["已毕业"]),
        Code("suspended", "休学", "suspended", ["保留学籍"]), Code("left", "退学", "left", ["肄业", "结业"]),
    ]

    static let schoolingVerified = [
        Code("no", "未核实", "not verified"), Code("self", "本人确认", "by the person"),
        Code("school", "学校确认", "by the school"), Code("document", "材料核验", "by a document"),
    ]

    static let relation = [
        Code("father", "父亲", "father", ["父"]), Code("mother", "母亲", "mother", ["母"]),
        Code("grandparent", "祖辈", "grandparent", ["祖父", "祖母", "外祖父", "外祖母", "爷爷", "奶奶"]),
        Code("other", "其他监护人", "other guardian", ["其他", "监护人", "家长"]),
    ]

    static let purpose = [
        Code("roster", "信息入库", "roster"), Code("contact", "联系沟通", "contact"),
        Code("digest", "接收推送", "digests"), Code("chapter_share", "分部可见联系方式", "share with chapter"),
        Code("mentor_share", "导师可见联系方式", "share with mentor"),
        Code("employer_share", "提供给用人单位", "share with employers"), Code("publicity", "宣传报道", "publicity"),
        Code("cross_border", "跨境提供", "cross-border transfer"),
    ]

    static let consentState = [
        Code("granted", "同意", "granted", ["是", "已签", "Y", "√"]), Code("refused", "不同意", "refused", ["否", "N", "×"]),
        Code("withdrawn", "已撤回", "withdrawn", ["撤回"]), Code("expired", "已到期", "expired"),
    ]

    static let consentBasis = [
        Code("consent", "本人同意", "consent"), Code("statutory_duty", "法定职责", "statutory duty"),
    ]

    static let consentBy = [Code("self", "本人", "the person"), Code("guardian", "监护人", "guardian", ["家长"])]

    static let consentMethod = [
        Code("paper", "纸质表", "paper form", ["纸质"]), Code("wechat_form", "微信表单", "WeChat form", ["微信", "在线表单"]),
        Code("phone", "电话", "phone"), Code("in_person", "当面", "in person"),
    ]

    static let schoolKind = [
        Code("senior", "高中", "senior school", ["普通高中"]), Code("vocational", "中职", "vocational school", ["职中", "技校"]),
        Code("college", "高职高专", "college", ["专科"]), Code("university", "本科院校", "university", ["本科"]),
        Code("institute", "科研院所", "research institute"), Code("overseas", "境外院校", "overseas school", ["境外", "海外"]),
    ]

    static let region = [
        Code("CN", "内地", "mainland", ["大陆", "中国内地"]), Code("HK", "香港", "Hong Kong"), Code("MO", "澳门", "Macau"),
        Code("other", "其他", "elsewhere", ["海外", "台湾"]),
    ]

    static let chapterKind = [
        Code("university", "高校", "university"), Code("city", "城市", "city"), Code("senior", "高中", "senior school"),
        Code("vocational", "中职", "vocational school"), Code("town", "镇街", "town"),
        Code("county", "县级", "county", ["总部"]),
        Code("overseas", "境外", "outside the mainland", ["海外"]),
    ]

    static let chapterStatus = [
        Code("active", "活动", "active", ["正常"]), Code("paused", "暂停", "paused"), Code("closed", "撤销", "closed"),
    ]

    static let memberRole = [
        Code("member", "成员", "member"), Code("ambassador", "引才大使", "ambassador", ["大使"]),
        Code("deputy", "副负责人", "deputy", ["副会长"]), Code("coordinator", "负责人", "coordinator", ["会长"]),
    ]

    static let membershipState = [Code("active", "在册", "active", ["在任"]), Code("left", "已退出", "left", ["退出"])]

    static let platform = [
        Code("wechat", "微信", "WeChat"), Code("wecom", "企业微信", "WeCom"), Code("dingtalk", "钉钉", "DingTalk"),
        Code("feishu", "飞书", "Feishu"), Code("qq", "QQ", "QQ group"), Code("sms", "短信", "SMS"),
        Code("email", "邮件", "mail", ["邮箱"]),
    ]

    static let officerStatus = [
        Code("serving", "在任", "serving", ["在职"]), Code("leave", "休假", "on leave"),
        Code("left", "停用", "left", ["离任", "离职"]),
    ]

    static let role = [
        Code("admin", "管理员", "administrator"), Code("registrar", "登记员", "registrar"),
        Code("collector", "采集员", "collector"), Code("liaison", "联络员", "liaison officer"),
        Code("coordinator", "分部负责人", "chapter coordinator", ["负责人"]),
        Code("coordinator_abroad", "境外分部负责人", "coordinator outside the mainland"),
        Code("mentor", "导师", "mentor"), Code("approver", "审批人", "approver"),
    ]

    static let grantState = [Code("active", "有效", "active"), Code("ended", "已终止", "ended")]

    static let liaisonKind = [
        Code("liaison", "联络员", "liaison officer"), Code("mentor", "导师", "mentor"),
        Code("leader", "挂钩领导", "leader", ["领导"]),
    ]

    static let liaisonState = [
        Code("proposed", "待批准", "proposed"), Code("active", "在联", "active"), Code("ended", "已结束", "ended"),
        Code("declined", "未批准", "declined"),
    ]

    static let liaisonOccasion = [
        Code("assignment", "登记员派定", "assignment"), Code("entry", "新录入", "new entry"),
        Code("hand_over", "申请移交", "hand-over"),
    ]

    static let endReason = [
        Code("transfer", "移交", "transfer"), Code("graduated", "已毕业", "graduated"), Code("capacity", "超出容量", "capacity"),
        Code("left_post", "离岗", "left the post"), Code("merge", "档案合并", "records merged"),
        Code("erase", "信息删除", "erased"),
    ]

    static let touchChannel = [
        Code("phone", "电话", "phone"), Code("wechat", "微信", "WeChat"), Code("visit", "走访", "visit", ["上门"]),
        Code("event", "活动", "event"), Code("video", "视频", "video"), Code("mail", "邮件", "mail"),
        Code("sms", "短信", "SMS"),
    ]

    static let touchResult = [
        Code("reached", "通", "reached", ["已接通", "已联系"]), Code("no_answer", "未接", "no answer", ["无人接听"]),
        Code("wrong_number", "空号", "wrong number", ["错号"]), Code("refused", "拒", "refused", ["拒绝"]),
        Code("left_message", "留言", "left a message", ["已留言"]),
    ]

    /// Who reads a contact record; `liaison` is the default, so that sharing a note is a deliberate act.
    static let visibility = [
        Code("liaison", "仅联络员", "liaison officer only"), Code("team", "团队", "team"),
        Code("mentor", "仅导师", "mentor only"),
    ]

    static let taskKind = [
        Code("follow_up", "跟进", "follow-up"), Code("verify", "核实", "verify"), Code("order", "点单", "order"),
    ]

    static let taskOrigin = [
        Code("liaison", "联络员", "liaison officer"), Code("chapter", "分部", "chapter"), Code("mentor", "导师", "mentor"),
        Code("registrar", "登记员", "registrar"), Code("season", "时令任务", "calendar"),
    ]

    static let taskStatus = [
        Code("open", "待办", "open", ["未开始"]), Code("doing", "办理中", "in progress", ["进行中"]),
        Code("waiting", "待反馈", "waiting"),
        Code("done", "已办结", "done", ["完成"]), Code("cancelled", "已取消", "cancelled", ["取消"]),
    ]

    static let topic = [
        Code("policy", "政策", "policy"), Code("subsidy", "补贴", "subsidy"), Code("job", "就业", "job", ["岗位"]),
        Code("internship", "实习", "internship", ["见习"]), Code("startup", "创业", "start-up"),
        Code("housing", "住房", "housing", ["安居"]), Code("school_place", "子女入学", "school place"),
        Code("household", "落户", "household register", ["户籍"]), Code("exam", "考试", "exam"),
        Code("training", "培训", "training"), Code("other", "其他", "other"),
    ]

    static let policyTier = [
        Code("town", "镇街", "town", ["镇", "街道"]), Code("county", "县级", "county", ["县", "区", "县（市）"]),
        Code("prefecture", "市级", "prefecture", ["市", "地市"]), Code("province", "省级", "province", ["省"]),
        Code("nation", "国家级", "national", ["国家"]),
    ]

    static let policyStatus = [
        Code("draft", "草稿", "draft"), Code("published", "已发布", "published"), Code("withdrawn", "已撤销", "withdrawn"),
    ]

    static let opportunityKind = [
        Code("job", "岗位", "job", ["就业岗位", "招聘"]), Code("internship", "实习", "internship", ["实习岗位", "见习"]),
        Code("base", "实习基地", "internship base", ["基地"]), Code("event", "活动", "event"),
        Code("training", "培训", "training"),
        Code("shortage", "紧缺目录", "shortage catalogue", ["紧缺岗位"]),
    ]

    static let opportunityStatus = [
        Code("draft", "草稿", "draft"), Code("open", "开放", "open", ["招聘中", "进行中"]),
        Code("recognised", "已认定", "recognised", ["认定"]), Code("closed", "已截止", "closed", ["截止", "已结束"]),
        Code("cancelled", "已取消", "cancelled", ["取消"]),
    ]

    static let heat = [
        Code("1", "★", "in demand", ["一般紧缺"]), Code("2", "★★", "short", ["紧缺"]),
        Code("3", "★★★", "very short", ["非常紧缺"]),
    ]

    static let digestStatus = [
        Code("draft", "草稿", "draft"), Code("review", "待审批", "in review"), Code("approved", "已批准", "approved"),
        Code("scheduled", "已排期", "scheduled"), Code("sending", "发送中", "sending"), Code("sent", "已发送", "sent"),
        Code("partly_sent", "部分送达", "partly sent"), Code("failed", "未送达", "failed"),
        Code("cancelled", "已取消", "cancelled"),
    ]
    static let digestKind = [
        Code("regular", "定期推送", "regular"), Code("correction", "更正", "correction"),
        Code("reminder", "截止提醒", "reminder"),
    ]
    /// What becomes of a digest whose time passed while the server was down.
    static let missedTime = [
        Code("ask", "询问", "ask"), Code("send", "补发", "send late"), Code("skip", "跳过", "skip"),
    ]
}
