extension Instruction {
    /// The words for the codes that tell more than their class does.
    static let byCode: [String: Instruction] = {
        let table: [(codes: [String], instruction: Instruction)] = [
            (
                ["wecom_93000", "wecom_93008"],
                Instruction(
                    "机器人地址失效或机器人已被移出群：请在群里重新添加机器人并更新地址；不再用这个群，就弃用端点（roost endpoints retire）。",
                    "The robot's address is not valid or the robot was removed: add a robot to the group and enter its address, or "
                        + "give the endpoint up (roost endpoints retire)."
                )
            ),
            (
                [
                    "dingtalk_300001", "dingtalk_300005", "dingtalk_40014", "dingtalk_400101", "dingtalk_400106",
                    "feishu_19001_token",
                ],
                Instruction(
                    "机器人不存在或地址失效：请在群里重新添加机器人并更新地址；不再用这个群，就弃用端点（roost endpoints retire）。",
                    "There is no such robot, or its address is not valid: add a robot to the group and enter its address, or give "
                        + "the endpoint up (roost endpoints retire)."
                )
            ),
            (
                ["dingtalk_400013"],
                Instruction(
                    "该群已解散：请弃用此端点（roost endpoints retire），另有新群就再新增一个。",
                    "The group was dissolved: give this endpoint up (roost endpoints retire), and add one for the group that takes its "
                        + "place, if any.")
            ),
            (
                ["wecom_93004", "dingtalk_400102"],
                Instruction(
                    "机器人已被停用：请群主或管理员在群设置里启用它。",
                    "The robot is switched off: the group's owner must switch it on again.")
            ),
            (
                ["wecom_60020", "dingtalk_310000_ip", "feishu_19022"],
                Instruction(
                    "服务器的 IP 不在对方允许的名单里：请把日志中的 IP 加入机器人的名单。",
                    "The server's IP is not on the robot's list: add the IP named in the log.")
            ),
            (
                ["dingtalk_310000_keyword", "feishu_19024"],
                Instruction(
                    "消息里没有机器人要求的关键词：请在端点设置里填写该关键词，测试成功后恢复端点；此前定稿的推送仍缺该词，须另起一期。",
                    "The message lacks the keyword that the robot demands: enter it in the endpoint's settings, then test and resume "
                        + "the endpoint; what was frozen before still lacks it and has to be composed anew."
                )
            ),
            (
                ["dingtalk_310000_sign", "feishu_19021"],
                Instruction(
                    "签名不匹配：请从机器人设置里重新复制签名密钥并更新端点。",
                    "The signature does not match: copy the robot's signing secret into the endpoint's settings again.")
            ),
            (
                ["dingtalk_310000_timestamp"],
                Instruction(
                    "对方拒绝了签名的时间：请核对本服务器的时间。",
                    "The signature's time was refused: check this server's clock.")
            ),
            (
                ["dingtalk_310000"],
                Instruction(
                    "机器人的安全设置拒绝了消息：请核对关键词、签名密钥与 IP 名单。",
                    "The robot's security settings refused the message: compare keyword, signing secret and list of IPs."
                )
            ),
            (
                ["dingtalk_1111", "dingtalk_130101", "dingtalk_410100"],
                Instruction(
                    "钉钉限流，约 10 分钟后自动继续，无需处理。",
                    "DingTalk limits the rate; sending goes on by itself in about ten minutes.")
            ),
            (
                ["dingtalk_430101", "dingtalk_430102", "dingtalk_430103", "dingtalk_430104"],
                Instruction(
                    "内容被判定为不安全（链接、文字或图片）：请检查后修改并重新发布。",
                    "A link, text or picture was judged unsafe: check the content, change it and publish it anew.")
            ),
            (
                [
                    "wecom_40058", "wecom_45002", "dingtalk_460101", "dingtalk_101002", "feishu_19036", "http_413",
                    "smtp_552",
                ],
                Instruction(
                    "内容超过对方的长度限制：请缩短后重新发布。",
                    "The content exceeds the receiver's limit: shorten it and publish it anew.")
            ),
            (
                ["dingtalk_400105", "feishu_200621"],
                Instruction(
                    "对方不支持这种消息形式：请为端点改选其他消息形式。",
                    "The receiver does not support this kind of message: choose another for the endpoint.")
            ),
            (
                ["smtp_550", "smtp_551", "smtp_553", "smtp_556", "smtp_501"],
                Instruction(
                    "邮箱不存在或拒收：请核对邮箱地址；确已不用，就弃用端点（roost endpoints retire）。",
                    "The mailbox does not exist or refuses mail: check the address, or give the endpoint up (roost endpoints "
                        + "retire).")
            ),
            (
                ["smtp_554"],
                Instruction(
                    "邮件被拒收（可能被视为垃圾邮件）：请联系对方或邮件服务商。",
                    "The letter was refused, perhaps as spam: ask the recipient or your mail provider.")
            ),
            (
                ["login_refused", "smtp_530", "smtp_534", "smtp_535", "smtp_538"],
                Instruction(
                    "邮件服务器拒绝了我方账号：请管理员核对邮件服务器的用户名与密码；将自动重试。",
                    "The mail server refuses our account: have its user name and password checked; it is tried again by itself."
                )
            ),
            (
                ["mail_server_invalid"],
                Instruction(
                    "邮件服务器的地址不合法：请管理员核对 mail.host 与 mail.port；将自动重试。",
                    "The mail server's address is not valid: have mail.host and mail.port checked; it is tried again by itself."
                )
            ),
            (
                ["sender_refused"],
                Instruction(
                    "邮件服务器不接受我方发件地址：请管理员核对 mail.from，或请邮件服务商放行；将自动重试。",
                    "The mail server refuses our sender's address: check mail.from, or ask the mail provider to let it through; it "
                        + "is tried again by itself.")
            ),
            (
                ["unwelcome"],
                Instruction(
                    "邮件服务器一连接就拒绝了本服务器：请管理员核对 mail 设置，或请邮件服务商放行；将自动重试。",
                    "The mail server turned this server away at once: check the settings under mail, or ask the mail provider to "
                        + "let it in; it is tried again by itself.")
            ),
            (
                ["no_mail_server"],
                Instruction(
                    "服务器尚未设置邮件服务器：请管理员填写 mail 设置，之后自动发送。",
                    "No mail server is set: have the settings under mail filled in; sending goes on by itself.")
            ),
            (
                ["not_posted"],
                Instruction(
                    "没有人标记已在群里发送：如已发送请补标，内容仍有用时也可补发后再标。",
                    "Nobody has said that it was posted: say so if it was, or post it late and say so then.")
            ),
            (
                ["unsubscribed"],
                Instruction(
                    "收件人已退订：请勿再发，除非对方要求恢复。",
                    "Whoever got these letters has stopped them: resume the endpoint only if they ask for it.")
            ),
            (
                ["lacks_keyword"],
                Instruction(
                    "定稿时端点还没有现在的关键词，对方会拒收，因此没有发送：请另起一期（roost digest new --new）。",
                    "It was frozen without the keyword that the endpoint has now and would be refused, so it was not sent: compose "
                        + "another digest (roost digest new --new).")
            ),
            (
                ["backlog_skipped"],
                Instruction("恢复端点时放弃了积压，可以重发。", "Given up when the endpoint was resumed; it can be sent again.")
            ),
            (
                ["endpoint_retired"],
                Instruction(
                    "端点已弃用，这条没有发出，也不会再发；仍要告知的，请另起一期发到别的端点。",
                    "Its endpoint was given up, so that this was not sent and never will be; if somebody still has to be told, "
                        + "compose another digest for another endpoint.")
            ),
            (
                ["digest_cancelled"],
                Instruction(
                    "推送已取消，这条没有发出；可以重发。", "The digest was cancelled before this went out; it can be sent again.")
            ),
            (
                ["restored"],
                Instruction(
                    "服务器恢复自备份，这条可能早已发出：请到群里查看，已出现则标记为已送达，未出现再重发。",
                    "The server was restored from a backup and may have sent this before: look in the group, then mark it as "
                        + "delivered or send it again.")
            ),
            (
                ["endpoint_unreadable"],
                Instruction(
                    "端点的地址或签名密钥读不出（服务器密钥已更换）：请用 roost endpoints edit --address 重新填写，测试成功后恢复。",
                    "The endpoint's address or secret cannot be read, the server's key having been replaced: enter the address again "
                        + "by roost endpoints edit --address, then test and resume it.")
            ),
            (
                ["http_410"],
                Instruction(
                    "对方声明该地址已永久停用：请向对方索取新地址，或弃用端点（roost endpoints retire）。",
                    "The receiver says this address is gone for good: ask for a new one, or give the endpoint up (roost endpoints "
                        + "retire).")
            ),
            (
                ["http_301", "http_302", "http_303", "http_307", "http_308"],
                Instruction(
                    "对方要求跳转到别处，跳转不会被跟随：请填写最终地址。",
                    "The receiver redirects, which is not followed: enter the final address.")
            ),
            (
                ["http_401", "http_403", "http_404", "http_405"],
                Instruction(
                    "对方拒绝了请求：请核对地址与签名密钥。",
                    "The receiver refused the request: compare address and signing secret with theirs.")
            ),
            (
                ["proxy"],
                Instruction(
                    "连不上代理，或代理不放行：请管理员核对 courier.proxy 及其账号；将自动重试。",
                    "The proxy cannot be reached or lets nothing through: have courier.proxy and its account checked; it is tried "
                        + "again by itself.")
            ),
            (
                ["certificate"],
                Instruction(
                    "对方的证书不受信任或已过期：请联系对方更换证书，或在端点设置里加入其机构证书；将自动重试。",
                    "The receiver's certificate is not trusted or has expired: ask them to renew it, or add their authority to the endpoint; it is tried again by itself."
                )
            ),
            (
                ["forbidden_port"],
                Instruction(
                    "网址的端口不在允许之列：请对方改用 443 端口并更新地址，或请管理员把该端口加入服务器设置 courier.ports；再测试并恢复端点。",
                    "The address names a port that is not allowed: have the receiver use 443 and enter that address, or have the "
                        + "port added to the server's setting courier.ports; then test and resume the endpoint.")
            ),
            (
                ["invalid_url", "invalid_header", "policy_behind_proxy", "unsupported_protocol"],
                Instruction(
                    "端点地址或设置不合法：请重新填写。",
                    "The endpoint's address or settings are not valid: enter them again.")
            ),
        ]
        let pairs = table.flatMap { entry in entry.codes.map { ($0, entry.instruction) } }
        return Dictionary(uniqueKeysWithValues: pairs)
    }()
}
