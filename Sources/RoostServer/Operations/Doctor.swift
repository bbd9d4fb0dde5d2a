import Foundation
import RoostModel
package import RoostSchema
import RoostStore
import RoostSync

/// Looks at a data directory and says what is wrong and what to do about it.
package struct Doctor: Sendable {
    package enum Level: String, Hashable, Sendable {
        case good
        case warning
        case bad
    }

    /// One thing looked at.
    package struct Finding: Hashable, Sendable {
        /// Stable name of what was looked at.
        package let check: String
        package let level: Level
        package let message: Label
        /// What to do; nil where nothing needs doing.
        package let advice: Label?

        init(_ check: String, _ level: Level, _ message: Label, _ advice: Label? = nil) {
            self.check = check
            self.level = level
            self.message = message
            self.advice = advice
        }
    }

    private let directory: DataDirectory

    package init(_ directory: DataDirectory) { self.directory = directory }

    package func findings() -> [Finding] {
        guard directory.holdsDatabase else {
            return [
                Finding(
                    "database", .bad, Label("数据目录里没有数据库", "the data directory holds no database"),
                    Label("运行 roostd init 新建，或 roostd restore 恢复备份", "run roostd init, or roostd restore for a backup"))
            ]
        }
        let catalogue = Catalogue.programme.withConflicts(about: Programme.subject)
        let found = try? ServerStore.inspect(directory: directory.path, catalogue: catalogue)
        return [directoryMode, key(of: found), space] + database(found)
    }

    private var directoryMode: Finding {
        guard mode(of: directory.path).map({ $0 & 0o077 == 0 }) ?? false else {
            return Finding(
                "directory", .warning, Label("其他用户可以进入数据目录", "other users can enter the data directory"),
                Label("chmod 700 \(directory.path)", "chmod 700 \(directory.path)"))
        }
        return Finding("directory", .good, Label("数据目录只有本用户可用", "the data directory is the user's own"))
    }

    private func key(of found: ServerStore.Inspection?) -> Finding {
        let path = ServerKey.path(in: directory.path)
        guard let key = try? directory.key else {
            return Finding(
                "key", .bad, Label("密钥文件缺失或损坏", "the key file is missing or damaged"),
                Label(
                    "把另外保存的密钥放回 \(path)，或在 ROOST_KEY 中给出；没有它，登记码、接收端密钥和身份证摘要都不能用",
                    """
                    put the key you kept elsewhere back at \(path), or give it as ROOST_KEY; codes, endpoint secrets and \
                    identity digests need it
                    """))
        }
        if let mark = found?.keyMark, mark != key.mark {
            return Finding(
                "key", .bad, Label("密钥与数据库不符", "the key is not this database's"),
                Label(
                    "把原来的密钥放回 \(path)，或在 ROOST_KEY 中给出；确已丢失时：roostd init --adopt-key",
                    """
                    put the former one back at \(path), or give it as ROOST_KEY; if it is lost for good: \
                    roostd init --adopt-key
                    """))
        }
        guard directory.keyFile != nil else {
            return Finding(
                "key", .good, Label("ROOST_KEY 给出的密钥正确", "the key in ROOST_KEY is the right one"),
                Label("请把它另存一份，和备份分开保管", "keep a copy of it, apart from backups"))
        }
        guard mode(of: path).map({ $0 & 0o077 == 0 }) ?? true else {
            return Finding(
                "key", .bad, Label("其他用户可以读密钥文件", "other users can read the key file"),
                Label("chmod 600 \(path)", "chmod 600 \(path)"))
        }
        return Finding(
            "key", .good, Label("密钥文件完好", "the key file is in order"),
            Label("请在数据目录之外另存一份", "keep a copy of it outside the data directory and apart from backups"))
    }

    private var space: Finding {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: directory.path)
        let free = (attributes?[.systemFreeSize] as? NSNumber)?.int64Value ?? 0
        let size = size(of: directory.path + "/" + ServerStore.fileName)
        // A backup and a log of the database's own size must fit.
        guard free > max(1 << 30, 2 * size) else {
            return Finding(
                "space", .warning, Label("磁盘只剩 \(free >> 20) MiB", "only \(free >> 20) MiB of disk are left"),
                Label("腾出至少 1 GiB 且不少于数据库两倍的空间", "free at least 1 GiB and twice the database's size"))
        }
        return Finding("space", .good, Label("磁盘剩余 \(free >> 20) MiB", "\(free >> 20) MiB of disk are free"))
    }

    private func database(_ found: ServerStore.Inspection?) -> [Finding] {
        guard let found else {
            return [
                Finding(
                    "integrity", .bad, Label("数据库读不了", "the database cannot be read"),
                    Label("停止服务，用 roostd restore 恢复最近的备份", "stop the server and restore the latest backup"))
            ]
        }
        return [integrity(found), migrations(found), epoch(found), recovery(found), clock(found), scopes(found)]
            + endpoints(found)
    }

    private func integrity(_ found: ServerStore.Inspection) -> Finding {
        guard found.damage.isEmpty else {
            let text = found.damage.joined(separator: "; ")
            return Finding(
                "integrity", .bad, Label("数据库已损坏：\(text)", "the database is damaged: \(text)"),
                Label(
                    "停止服务，另存损坏的文件，用 roostd restore 恢复最近的备份",
                    "stop the server, keep the damaged file, and restore the latest backup"))
        }
        return Finding("integrity", .good, Label("数据库完好", "the database is sound"))
    }

    private func migrations(_ found: ServerStore.Inspection) -> Finding {
        if found.isNewer {
            return Finding(
                "migrations", .bad, Label("数据库由更新的版本写成", "a later version wrote the database"),
                Label("安装那个版本", "install that version"))
        }
        guard found.pendingMigrations.isEmpty else {
            let names = found.pendingMigrations.joined(separator: ", ")
            return Finding(
                "migrations", .warning, Label("待执行的升级：\(names)", "upgrades to come: \(names)"),
                Label("先 roostd backup;下次启动时会自动执行", "run roostd backup first; the next start performs them"))
        }
        return Finding("migrations", .good, Label("数据库结构是最新的", "the database's structure is current"))
    }

    private func epoch(_ found: ServerStore.Inspection) -> Finding {
        guard let beside = EpochFile(in: directory.path), beside.epoch == found.epoch else {
            return Finding(
                "epoch", .warning,
                Label("数据库是从副本恢复的", "the database was put back from a copy"),
                Label(
                    "下次启动时服务器自动开始新纪元，各设备会补交丢失的修改；之后用 roostd recovery 查看",
                    "the next start begins a new epoch and devices bring back what was lost; see roostd recovery then"))
        }
        return Finding("epoch", .good, Label("纪元一致", "the epochs agree"))
    }

    private func recovery(_ found: ServerStore.Inspection) -> Finding {
        guard found.awaited == 0 else {
            return Finding(
                "recovery", .warning,
                Label(
                    "恢复备份后还有 \(found.awaited) 台设备没有同步",
                    "\(found.awaited) devices have not synced since a backup was restored"
                ),
                Label(
                    "请这些设备的使用者同步一次，丢失的修改才能补回：见 roostd recovery",
                    "have their owners sync, so that lost edits come back: see roostd recovery"))
        }
        return Finding("recovery", .good, Label("没有等待补交的设备", "no device has anything to bring back"))
    }

    private func clock(_ found: ServerStore.Inspection) -> Finding {
        let now = directory.clock()
        // 2026-01-01: no build of this program is older.
        guard now.value > 1_767_225_600_000, now + 60_000 > found.lastMoment else {
            return Finding(
                "clock", .bad, Label("系统时间早于已记录的时间", "the system's clock is behind moments already recorded"),
                Label("校准系统时间(例如启用 NTP)再启动服务", "set the clock, for example by NTP, before serving"))
        }
        return Finding("clock", .good, Label("系统时间合理", "the system's clock is plausible"))
    }

    private func scopes(_ found: ServerStore.Inspection) -> Finding {
        guard found.orphanScopes.isEmpty else {
            let count = found.orphanScopes.count
            return Finding(
                "scopes", .warning,
                Label("\(count) 个范围的负责人或分部已删除", "\(count) scopes belong to a deleted officer or chapter"),
                Label(
                    "由登记员把其中的学生改派给别人：\(found.orphanScopes.prefix(5).joined(separator: " "))",
                    "have the registrar reassign their students: \(found.orphanScopes.prefix(5).joined(separator: " "))"
                ))
        }
        return Finding("scopes", .good, Label("没有无主的范围", "no scope is orphaned"))
    }

    private func endpoints(_ found: ServerStore.Inspection) -> [Finding] {
        guard !found.failing.isEmpty else {
            return [Finding("endpoints", .good, Label("没有失败的端点", "no endpoint fails"))]
        }
        return found.failing.map { Finding("endpoints", .warning, $0.message, $0.advice) }
    }

    private func mode(of path: String) -> Int? {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? NSNumber)?.intValue
    }

    private func size(of path: String) -> Int64 {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.int64Value ?? 0
    }
}
