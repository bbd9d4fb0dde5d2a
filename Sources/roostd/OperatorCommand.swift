import ArgumentParser
import Foundation
import RoostSchema
import RoostServer
import RoostStore
import RoostSync

/// A command over a data directory, whose errors are told in words that say what to do.
protocol OperatorCommand: AsyncParsableCommand {
    var options: CommonOptions { get }

    /// What the command does.
    func act() async throws
}

extension OperatorCommand {
    func run() async throws {
        do { try await act() } catch { throw options.explained(error) }
    }
}

extension CommonOptions {
    /// The settings, and the data directory that they name, which has to hold a database.
    func dataThatIsThere() async throws -> (settings: ServerSettings, directory: DataDirectory) {
        let settings = try await SettingsReading(self).settings
        let directory = DataDirectory(path: settings.data, key: settings.key)
        guard directory.holdsDatabase else {
            throw Failure(self, "\(settings.data) 里没有数据库", "there is no database in \(settings.data)")
        }
        return (settings, directory)
    }

    /// The error in the operator's language, or as it is if it speaks for itself.
    func explained(_ error: any Error) -> any Error {
        switch error {
        case let error as KeyFileError: explained(error)
        case let error as StoreError: explained(error)
        case AccountError.unknownOfficer: Failure(self, "没有这个人员", "no such officer")
        case let error as RefusedWrite:
            Failure(
                self, "第 \(error.index + 1) 行数据未被接受：\(error.verdict.outcome.rawValue)",
                "row \(error.index + 1) was refused: \(error.verdict.outcome.rawValue)")
        case let error as CocoaError where error.code == .fileWriteFileExists:
            Failure(
                self, "\(error.filePath ?? "文件") 已存在，不会覆盖", "\(error.filePath ?? "the file") exists and is not replaced"
            )
        case let error as CocoaError:
            Failure(self, "无法读写 \(error.filePath ?? "文件")", "cannot read or write \(error.filePath ?? "a file")")
        default:
            ServerStore.diagnosis(of: error).map { Failure(self, "数据库出错：\($0)", "the database failed: \($0)") } ?? error
        }
    }

    private func explained(_ error: KeyFileError) -> Failure {
        switch error {
        case .missing(let path):
            Failure(
                self, "缺少密钥文件 \(path)；请放回另外保存的那一份，或在 ROOST_KEY 中给出；确已丢失时：roostd init --adopt-key",
                "the key file \(path) is missing; put back the copy you kept, or give the key in ROOST_KEY; if it is lost for good: "
                    + "roostd init --adopt-key")
        case .damaged(let path):
            Failure(
                self, "密钥文件 \(path) 已损坏；请放回另外保存的那一份", "the key file \(path) is damaged; put back the copy you kept")
        case .exists(let path):
            Failure(self, "密钥文件 \(path) 已存在，不会覆盖", "the key file \(path) exists and is not replaced")
        case .unreadableSetting:
            Failure(self, "设置 key 须为 64 位十六进制数字", "the setting key must be 64 hexadecimal digits")
        case .foreign(let path):
            Failure(
                self,
                "密钥与数据库不符：库中的端点密钥打不开。请把原来的密钥放回 \(path)，或在 ROOST_KEY 中给出；没有改动任何数据。原密钥确已丢失时：roostd init --adopt-key",
                "the key is not this database's: it opens none of the endpoints' secrets. Put the former key back at \(path), or "
                    + "give it in ROOST_KEY; nothing has been changed. If it is lost for good: roostd init --adopt-key")
        }
    }

    private func explained(_ error: StoreError) -> Failure {
        switch error {
        case .catalogue(let problems):
            Failure(
                self, "数据目录声明有误：\(problems.joined(separator: "；"))",
                "the catalogue contradicts itself: \(problems.joined(separator: "; "))")
        case .newerDatabase:
            Failure(self, "数据库由更新的版本写成；请安装那个版本", "a later version wrote the database; install that version")
        case .damaged(let text): Failure(self, "数据库已损坏：\(text)", "the database is damaged: \(text)")
        }
    }
}
