internal import CCurl

/// The host of a URL as libcurl understands it; nil for what it takes for no URL.
///
/// Octal, hexadecimal, decimal and short IPv4 spellings come back as four decimal numbers, and an IPv6 address without
/// its brackets.
package func hostOfURL(_ url: String) -> String? {
    guard let host = part(CURLUPART_HOST, of: url) else { return nil }
    return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
}

/// The port of a URL, or that of its protocol where it names none.
func portOfURL(_ url: String) -> Int? {
    part(CURLUPART_PORT, of: url, flags: UInt32(CURLU_DEFAULT_PORT)).flatMap { Int($0) }
}

private func part(_ part: CURLUPart, of url: String, flags: UInt32 = 0) -> String? {
    guard let parser = unsafe curl_url() else { return nil }
    defer { unsafe curl_url_cleanup(parser) }
    guard unsafe curl_url_set(parser, CURLUPART_URL, url, 0) == CURLUE_OK else { return nil }
    var text: UnsafeMutablePointer<CChar>?
    guard unsafe curl_url_get(parser, part, &text, flags) == CURLUE_OK, let text = unsafe text else {
        return nil
    }
    defer { unsafe curl_free(text) }
    return unsafe String(cString: text)
}
