import Foundation
import NIOCore
package import RoostSchema

extension RoostApplication {
    /// Why the server cannot listen at its address, if that is what the error says.
    package static func listeningProblem(_ error: any Error) -> Label? {
        guard let error = error as? IOError else { return nil }
        return switch error.errnoCode {
        case EADDRINUSE: Label("端口已被占用，请用 --port 换一个", "the port is in use; choose another with --port")
        case EACCES: Label("没有权限使用这个端口，请用 --port 换一个", "this port takes privileges; choose another with --port")
        case EADDRNOTAVAIL: Label("本机没有这个地址，请更正 --host", "this machine has no such address; correct --host")
        default: nil
        }
    }
}
