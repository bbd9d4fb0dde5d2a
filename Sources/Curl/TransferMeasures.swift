internal import CCurl

/// What libcurl measured.
extension Transfer {
    var status: Int {
        var value = 0
        return unsafe ccurl_get_long(handle, CURLINFO_RESPONSE_CODE, &value) == CURLE_OK ? value : 0
    }

    /// What a proxy answered to the last CONNECT; zero without one.
    var proxyStatus: Int {
        var value = 0
        return unsafe ccurl_get_long(handle, CURLINFO_HTTP_CONNECTCODE, &value) == CURLE_OK ? value : 0
    }

    var connectedAddress: String? {
        var text: UnsafePointer<CChar>?
        var port = 0
        guard unsafe ccurl_get_string(handle, CURLINFO_PRIMARY_IP, &text) == CURLE_OK, let text = unsafe text,
            unsafe ccurl_get_long(handle, CURLINFO_PRIMARY_PORT, &port) == CURLE_OK, port > 0
        else { return nil }
        let address = unsafe String(cString: text)
        return address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    var timings: TransferTimings {
        TransferTimings(
            resolved: time(CURLINFO_NAMELOOKUP_TIME_T), connected: time(CURLINFO_CONNECT_TIME_T),
            secured: time(CURLINFO_APPCONNECT_TIME_T), firstByte: time(CURLINFO_STARTTRANSFER_TIME_T),
            total: time(CURLINFO_TOTAL_TIME_T))
    }

    private func time(_ info: CURLINFO) -> Duration {
        var microseconds: curl_off_t = 0
        guard unsafe ccurl_get_offset(handle, info, &microseconds) == CURLE_OK else { return .zero }
        return .microseconds(microseconds)
    }
}
