import RoostModel
import RoostSchema

/// A school of the shipped lists, as the demo refers to it.
struct DemoSchool: Sendable {
    let code: String
    let name: String
    /// Codes of the levels it teaches: `21` bachelor, `31` associate, `61` and `41` senior.
    let level: String

    init(_ code: String, _ name: String, _ level: String) {
        self.code = code
        self.name = name
        self.level = level
    }

    var row: RowID { Programme.schoolRow(code: code, name: name) }
}

/// Where students of such a county go.
enum DemoSchools {
    static let southChina = DemoSchool("4144010561", "华南理工大学", "21")
    static let wuyi = DemoSchool("4144011349", "五邑大学", "21")
    static let jiangmenPolytechnic = DemoSchool("4144013711", "江门职业技术学院", "31")
    static let sunYatSen = DemoSchool("4144010558", "中山大学", "21")
    static let jinan = DemoSchool("4144010559", "暨南大学", "21")
    static let normal = DemoSchool("4144010574", "华南师范大学", "21")
    static let agricultural = DemoSchool("4144010564", "华南农业大学", "21")
    static let technology = DemoSchool("4144011845", "广东工业大学", "21")
    static let foreignStudies = DemoSchool("4144011846", "广东外语外贸大学", "21")
    static let firstSenior = DemoSchool("", "鹤山市第一中学", "61")
    static let hehuaSenior = DemoSchool("", "鹤山市鹤华中学", "61")
    static let jiyuanSenior = DemoSchool("", "鹤山市纪元中学", "61")
    static let vocationalSenior = DemoSchool("", "鹤山市职业技术高级中学", "41")

    static let senior = [firstSenior, hehuaSenior, jiyuanSenior, vocationalSenior]

    static let shenzhen = [
        DemoSchool("4144010590", "深圳大学", "21"), DemoSchool("4144014325", "南方科技大学", "21"),
        DemoSchool("4144011113", "深圳职业技术学院", "31"), DemoSchool("4144012957", "深圳信息职业技术学院", "31"),
    ]
    static let zhuhai = [
        DemoSchool("4144013684", "吉林大学珠海学院", "21"), DemoSchool("4144013177", "北京师范大学珠海分校", "21"),
        DemoSchool("4144013675", "北京理工大学珠海学院", "21"), DemoSchool("4144013713", "珠海城市职业技术学院", "31"),
    ]
    static let beijing = [
        DemoSchool("4111010001", "北京大学", "21"), DemoSchool("4111010003", "清华大学", "21"),
        DemoSchool("4111010027", "北京师范大学", "21"), DemoSchool("4111010034", "中央财经大学", "21"),
        DemoSchool("4111010004", "北京交通大学", "21"),
    ]
    static let shanghai = [
        DemoSchool("4131010246", "复旦大学", "21"), DemoSchool("4131010248", "上海交通大学", "21"),
        DemoSchool("4131010247", "同济大学", "21"), DemoSchool("4131010280", "上海大学", "21"),
    ]
    static let wuhan = [
        DemoSchool("4142010486", "武汉大学", "21"), DemoSchool("4142010487", "华中科技大学", "21"),
        DemoSchool("4142010497", "武汉理工大学", "21"), DemoSchool("4142010512", "湖北大学", "21"),
    ]
    static let abroad = [
        DemoSchool("", "香港大学", "21"), DemoSchool("", "香港中文大学", "21"), DemoSchool("", "香港理工大学", "21"),
        DemoSchool("", "香港城市大学", "21"), DemoSchool("", "澳门大学", "21"), DemoSchool("", "澳门科技大学", "21"),
    ]
    /// Where no chapter is, or where one is that not everybody joins.
    static let elsewhere: [(DemoSchool, Int)] = [
        (jiangmenPolytechnic, 14), (wuyi, 12), (technology, 6), (agricultural, 5),
        (DemoSchool("4144011078", "广州大学", "21"), 6), (DemoSchool("4144010592", "广东财经大学", "21"), 5),
        (DemoSchool("4144011847", "佛山科学技术学院", "21"), 5), (DemoSchool("4144011819", "东莞理工学院", "21"), 4),
        (DemoSchool("4144010580", "肇庆学院", "21"), 5), (DemoSchool("4144010576", "韶关学院", "21"), 3),
        (DemoSchool("4144010577", "惠州学院", "21"), 3), (DemoSchool("4144010566", "广东海洋大学", "21"), 4),
        (DemoSchool("4144012121", "南方医科大学", "21"), 2), (DemoSchool("4144010573", "广东药科大学", "21"), 3),
        (DemoSchool("4144010560", "汕头大学", "21"), 2), (DemoSchool("4144012046", "广州番禺职业技术学院", "31"), 5),
        (DemoSchool("4144010833", "广东轻工职业技术学院", "31"), 6), (DemoSchool("4144010831", "顺德职业技术学院", "31"), 5),
        (DemoSchool("4144010861", "广东交通职业技术学院", "31"), 5), (DemoSchool("4144014265", "广东南方职业学院", "31"), 4),
        (DemoSchool("4143010533", "中南大学", "21"), 1), (DemoSchool("4150010611", "重庆大学", "21"), 1),
        (DemoSchool("4145010593", "广西大学", "21"), 2), (DemoSchool("4136010407", "江西理工大学", "21"), 2),
        (DemoSchool("4151010610", "四川大学", "21"), 1), (DemoSchool("4133010335", "浙江大学", "21"), 1),
    ]

    static let all =
        [southChina, wuyi, jiangmenPolytechnic, sunYatSen, jinan, normal, agricultural, technology, foreignStudies]
        + shenzhen + zhuhai + beijing + shanghai + wuhan + abroad + elsewhere.map(\.0)
}

/// Towns, names and majors as they occur in such a county.
enum DemoWords {
    /// GB/T 2260 codes of the county's towns, with roughly their share of people.
    static let towns: [(code: String, name: String, weight: Int)] = [
        ("440784001", "沙坪街道", 40), ("440784101", "龙口镇", 7), ("440784102", "雅瑶镇", 7), ("440784103", "古劳镇", 6),
        ("440784104", "桃源镇", 6), ("440784105", "鹤城镇", 8), ("440784106", "共和镇", 7), ("440784107", "址山镇", 8),
        ("440784108", "宅梧镇", 7), ("440784112", "双合镇", 4),
    ]

    private static let surnames: [(String, Int)] = [
        ("梁", 8), ("李", 10), ("黄", 9), ("陈", 10), ("冯", 7), ("源", 4), ("温", 4), ("吕", 3), ("任", 4), ("何", 6), ("谭", 4),
        ("麦", 2), ("司徒", 2), ("欧阳", 1), ("劳", 2), ("胡", 3), ("林", 4), ("吴", 4), ("张", 4), ("罗", 3), ("叶", 3), ("邓", 3),
        ("区", 1), ("关", 2), ("单", 1), ("霍", 1), ("莫", 1), ("曾", 2), ("钟", 2), ("余", 2),
    ]
    private static let male = Array("俊杰浩宇轩熙豪铭辉航健文博天佑梓锋伟志嘉乐泽源霖毅恒")
    private static let female = Array("欣怡诗雅婷颖雯芷晴琳珊柔嘉慧思敏静蓝茵悦淇瑶彤娴薇")

    static func name(female isFemale: Bool, _ random: inout DemoRandom) -> String {
        let given = isFemale ? female : male
        let length = random.chance(82) ? 2 : 1
        return random.pick(surnames) + String((0..<length).map { _ in random.pick(given) })
    }

    static func town(_ random: inout DemoRandom) -> String { random.pick(towns.map { ($0.code, $0.weight) }) }

    static let bachelorMajors = [
        "软件工程", "计算机科学与技术", "电气工程及其自动化", "机械设计制造及其自动化", "材料科学与工程", "土木工程", "会计学", "金融学",
        "汉语言文学（师范）", "英语", "临床医学", "护理学", "食品科学与工程", "工业设计", "国际经济与贸易", "法学", "人力资源管理", "数学与应用数学（师范）",
        "自动化", "电子信息工程", "包装工程", "环境工程", "市场营销", "视觉传达设计",
    ]
    static let associateMajors = [
        "电子商务", "会计", "机电一体化技术", "数控技术", "计算机应用技术", "软件技术", "护理", "物流管理", "学前教育", "市场营销", "新能源汽车技术",
        "工业机器人技术",
    ]
    /// Majors that the demo's shortage catalogue names.
    static let shortMajors: Set<String> = ["材料科学与工程", "自动化", "数控技术", "工业机器人技术", "电气工程及其自动化"]

    static let skills = ["摄影", "平面设计", "短视频", "主持", "编程", "英语", "粤剧", "醒狮", "篮球", "志愿服务", "写作", "财务"]
    static let cities = ["鹤山", "江门", "广州", "深圳", "佛山", "珠海"]
    static let employers = ["鹤山市岭穗精密机械有限公司", "鹤山市坪源食品有限公司", "鹤山市雅瀚卫浴有限公司", "鹤山市桃川电子有限公司", "鹤山市古茶文化传播有限公司"]
    static let employersAway = ["广州穗嶺科技有限公司", "深圳湾曜电子有限公司", "佛山禅铨陶瓷有限公司", "珠海澜汇软件有限公司"]
}
