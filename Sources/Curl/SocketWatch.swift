internal import CCurl
internal import Glibc

/// What ends a ``SocketWatch``'s waiting, or its next one, from any thread.
final class Bell: Sendable {
    fileprivate let descriptor: Int32

    /// Nil when the process has no descriptor left.
    init?() {
        descriptor = ccurl_bell()
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    func ring() { ccurl_ring(descriptor) }
}

/// Waits on behalf of libcurl until something happens at one of its sockets, its next timer is due or somebody rings.
///
/// The time it takes depends on what happens and not on how much is waited for. It lives on the loop's thread alone.
final class SocketWatch {
    private let poller: Int32
    private let bell: Bell
    private var deadline: ContinuousClock.Instant?
    private var sockets = [Int32](repeating: 0, count: 64)
    private var happenings = [Int32](repeating: 0, count: 64)

    /// Nil when the process has no descriptor left.
    init?(_ bell: Bell) {
        self.bell = bell
        poller = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard poller >= 0 else { return nil }
        ccurl_watch(poller, bell.descriptor, CURL_POLL_IN)
    }

    deinit { close(poller) }

    /// Lets libcurl say what it waits for; the watch must be there for as long as the multi handle.
    func serve(_ multi: UnsafeMutableRawPointer) -> Bool {
        unsafe ccurl_multi_set_watch(multi, noteSocket, noteTimer, Unmanaged.passUnretained(self).toOpaque())
            == CURLM_OK
    }

    /// Tells libcurl what has happened, after at most so many milliseconds of waiting; false when it gives up.
    func wait(_ milliseconds: Int, for multi: UnsafeMutableRawPointer) -> Bool {
        var active: Int32 = 0
        let time = Int32(min(milliseconds, untilDeadline ?? milliseconds))
        let count = unsafe Int(ccurl_wait(poller, time, &sockets, &happenings))
        for index in 0..<count {
            guard sockets[index] != bell.descriptor else {
                ccurl_silence(bell.descriptor)
                continue
            }
            guard unsafe curl_multi_socket_action(multi, sockets[index], happenings[index], &active) == CURLM_OK else {
                return false
            }
        }
        return unsafe tellTime(multi)
    }

    /// Tells libcurl that its timer is due if it is: that is also how it begins what it was given.
    func tellTime(_ multi: UnsafeMutableRawPointer) -> Bool {
        guard untilDeadline == 0 else { return true }
        deadline = nil
        var active: Int32 = 0
        return unsafe curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &active) == CURLM_OK
    }

    /// Milliseconds, rounded up; nil without a timer.
    private var untilDeadline: Int? {
        guard let deadline else { return nil }
        let left = (deadline - ContinuousClock.now).components
        guard left.seconds >= 0, left.attoseconds > 0 || left.seconds > 0 else { return 0 }
        return Int(left.seconds) * 1000 + Int((left.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    fileprivate func watch(_ socket: Int32, for what: Int32) { ccurl_watch(poller, socket, what) }

    fileprivate func setTimer(_ milliseconds: Int) {
        deadline = milliseconds < 0 ? nil : ContinuousClock.now + .milliseconds(milliseconds)
    }
}

private let noteSocket: curl_socket_callback = { _, socket, what, context, _ in
    guard let context = unsafe context else { return -1 }
    unsafe Unmanaged<SocketWatch>.fromOpaque(context).takeUnretainedValue().watch(socket, for: what)
    return 0
}

private let noteTimer: curl_multi_timer_callback = { _, milliseconds, context in
    guard let context = unsafe context else { return -1 }
    unsafe Unmanaged<SocketWatch>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds)
    return 0
}
