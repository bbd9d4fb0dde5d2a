import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// The same receiver behind TLS, with a certificate made for this run.
final class TLSSink: BenchSink {
    /// The certificate, which is also the authority to trust it by.
    let certificateFile: String
    let arrivals = Arrivals()
    private let channel: any NIOCore.Channel

    var url: String { "https://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    /// - Throws: When there is no `openssl` to make a certificate with.
    init(directory: String) async throws {
        certificateFile = directory + "/sink.pem"
        let keyFile = directory + "/sink.key"
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", keyFile, "-out",
            certificateFile,
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificateFile).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem)))
        let context = try NIOSSLContext(configuration: configuration)
        let arrivals = arrivals
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup(numberOfThreads: 1))
            .serverChannelOption(ChannelOptions.backlog, value: 1024)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: context), Answering(arrivals: arrivals),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let arrivals: Arrivals
        private var request = RequestEnd()

        init(arrivals: Arrivals) { self.arrivals = arrivals }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            let ended = request.take(Array(buffer.readableBytesView)[...])
            guard ended > 0 else { return }
            arrivals.note(ended)
            for _ in 0..<ended {
                context.write(wrapOutboundOut(ByteBuffer(bytes: LoopbackSink.answer)), promise: nil)
            }
            context.flush()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
