package import RoostSchema

/// Why one cell was left out, or what a person should look at.
///
/// The stable code is the raw value.
package enum CellProblem: String, Error, CaseIterable, Hashable, Sendable {
    case mojibake = "cell_mojibake"
    case charactersLost = "cell_characters_lost"
    case tooLong = "cell_too_long"
    case malformed = "cell_malformed"
    case unknownCode = "cell_unknown_code"
    case numberOutOfRange = "cell_number_out_of_range"
    case unknownName = "cell_unknown_name"
    case masked = "cell_masked"
    /// Another cell that this one hangs on is missing: a role in a chapter that nobody knows.
    case incomplete = "cell_incomplete"

    case phoneScientific = "phone_scientific"
    case phoneShort = "phone_short"
    case phoneLong = "phone_long"
    case phoneLetters = "phone_letters"
    case phoneLandline = "phone_landline"
    case phoneLostZero = "phone_lost_zero"
    case phoneNoAreaCode = "phone_no_area_code"
    case phoneIsIdentity = "phone_is_identity_number"
    case phoneForeign = "phone_is_other_column"

    case dateImpossible = "date_impossible"
    case dateAmbiguous = "date_ambiguous"
    case dateVague = "date_vague"
    case dateBroken = "date_broken_by_spreadsheet"

    case identityScientific = "id_scientific"
    case identityTail = "id_tail_000"
    case identityLength = "id_wrong_length"
    case identityChecksum = "id_bad_checksum"
    case identityDate = "id_impossible_date"
    case identityMasked = "id_masked"
    case identityForeign = "id_is_other_column"
    case identityUnreadable = "id_unreadable"
    /// Nobody may take a number from here: the import runs where there is no key for its digest.
    case identityDropped = "id_dropped"
    /// The number belongs to another person already.
    case identityShared = "id_shared"

    /// What happened and what to do, for the 原因 column and for reports; never holds the cell's content.
    package var advice: Label {
        switch self {
        case .mojibake:
            Label("是乱码，请按原件重填", "is garbled; type it again from the original")
        case .charactersLost:
            Label("有字丢失（变成“?”或“�”），请按原件重填", "has lost characters (“?” or “�”); type it again")
        case .tooLong: Label("太长，请缩短", "is too long; shorten it")
        case .malformed: Label("格式不对，请检查", "is malformed; check it")
        case .unknownCode: Label("不在可选值之内，请改为规定的写法", "is not one of the allowed values")
        case .numberOutOfRange: Label("不是有效的数字", "is not a valid number")
        case .unknownName: Label("在名录中找不到，请核对名称", "is in no list; check the name")
        case .masked: Label("含星号且与已有资料不符，请填完整", "is masked and not what is stored; give it in full")
        case .incomplete: Label("缺少与之相关的另一列内容", "needs another cell that is missing")
        case .phoneScientific:
            Label(
                "疑似被 Excel 改成科学计数，号码已丢失，请按文本重新填写",
                "was turned into scientific notation by Excel, digits are lost; type it as text")
        case .phoneShort: Label("位数不够，请核对", "has too few digits; check it")
        case .phoneLong: Label("位数过多，请核对", "has too many digits; check it")
        case .phoneLetters: Label("混入字母（如 O、l），请改为数字", "has letters (such as O, l) for digits; correct it")
        case .phoneLandline: Label("是固定电话，请填手机号", "is a land line; give a mobile number")
        case .phoneLostZero: Label("疑似丢失开头的 0，请按文本重新填写", "seems to have lost its first 0; type it as text")
        case .phoneNoAreaCode: Label("缺少区号，请加 +852 或 +853", "has no area code; add +852 or +853")
        case .phoneIsIdentity: Label("填的是身份证号，请核对", "holds an identity number; check it")
        case .phoneForeign: Label("不是电话号码，可能错列", "is not a telephone number; the columns may have shifted")
        case .dateImpossible: Label("日期不存在，请核对", "is a date that does not exist; check it")
        case .dateAmbiguous: Label("月和日分不清，请写成 2005-09-12", "leaves day and month unclear; write 2005-09-12")
        case .dateVague: Label("不是日期，请写成 2005-09", "is not a date; write 2005-09")
        case .dateBroken: Label("日期已被表格软件损坏，请重新填写", "was damaged by a spreadsheet; type it again")
        case .identityScientific:
            Label(
                "疑似被 Excel 改成科学计数，号码已丢失，请按文本重新填写",
                "was turned into scientific notation by Excel, digits are lost; type it as text")
        case .identityTail:
            Label(
                "末几位疑似被 Excel 改成 0，请按文本重新填写",
                "seems to have had its last digits replaced by 0 by Excel; type it as text")
        case .identityLength: Label("位数不对，应为 18 位", "has the wrong length; 18 characters are needed")
        case .identityChecksum: Label("校验码不对，请核对", "has a wrong check digit; check it")
        case .identityDate: Label("其中的出生日期不存在，请核对", "holds a birth date that does not exist; check it")
        case .identityMasked: Label("含星号，请填完整或留空", "is masked; give it in full or leave it empty")
        case .identityForeign: Label("不是证件号码，可能错列", "is not an identity number; the columns may have shifted")
        case .identityUnreadable: Label("不是可识别的证件号码", "is no identity number that is known")
        case .identityDropped: Label("离线不处理证件号码，已略去", "is left out: identity numbers are not handled offline")
        case .identityShared: Label("与另一人的证件号码相同，请核对", "is the number of another person; check it")
        }
    }

    /// Whether the cell seems to belong to another column, which in a row of the wrong length means that cells moved.
    var isForeign: Bool { self == .phoneForeign || self == .identityForeign || self == .phoneIsIdentity }
}

/// Why a whole row was not imported.
///
/// The stable code is the raw value.
package enum RowProblem: String, Error, CaseIterable, Hashable, Sendable {
    case blank = "row_blank"
    case repeatedHeader = "row_repeated_header"
    case tooManyCells = "row_too_many_cells"
    case shifted = "row_shifted"
    case missingRequired = "row_missing_required"
    case unreadableRequired = "row_unreadable_required"

    /// What happened and what to do.
    package var advice: Label {
        switch self {
        case .blank: Label("空行", "is blank")
        case .repeatedHeader: Label("重复的表头", "repeats the header")
        case .tooManyCells: Label("单元格比表头多，可能有未加引号的逗号", "has more cells than the header; a comma may lack quotes")
        case .shifted:
            Label("单元格数目不对且内容错列，请对齐各列", "has the wrong number of cells and they have moved; align the columns")
        case .missingRequired: Label("缺少必填内容", "lacks something that is required")
        case .unreadableRequired: Label("必填内容无法读取", "has something required that cannot be read")
        }
    }
}
