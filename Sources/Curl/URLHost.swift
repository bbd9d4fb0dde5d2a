internal import CCurl

/// The host of a URL as libcurl understands it; nil for what it takes for no URL.
///
/// Octal, hexadecimal, decimal and short IPv4 spellings come back as four decimal numbers, and an IPv6 address without
/// its brackets.
package func hostOfURL(_ url: String) -> String? {
    guard let parser = unsafe curl_url() else { return nil }
    defer { unsafe curl_url_cleanup(parser) }
    guard unsafe curl_url_set(parser, CURLUPART_URL, url, 0) == CURLUE_OK else { return nil }
    var text: UnsafeMutablePointer<CChar>?
    guard unsafe curl_url_get(parser, CURLUPART_HOST, &text, 0) == CURLUE_OK, let text = unsafe text else {
        return nil
    }
    defer { unsafe curl_free(text) }
    let host = unsafe String(cString: text)
    return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
}
