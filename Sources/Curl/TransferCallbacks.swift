internal import CCurl

// What libcurl calls on its loop's thread while it works on a ``Transfer``; each hands on to it.

let receiveBody: ccurl_data_callback = { data, size, count, context in
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.receive(body: UnsafeRawBufferPointer(start: data, count: size * count))
}

let receiveHeader: ccurl_data_callback = { data, size, count, context in
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.receive(header: UnsafeRawBufferPointer(start: data, count: size * count))
}

let provideLetter: ccurl_data_callback = { room, size, count, context in
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.provide(into: UnsafeMutableRawBufferPointer(start: room, count: size * count))
}

let openSocket: curl_opensocket_callback = { context, _, address in
    guard let context = unsafe context, let address = unsafe address else { return CURL_SOCKET_BAD }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = unsafe ccurl_address_bytes(address, &bytes)
    guard transfer.mayOpenSocket(to: IPAddress(networkOrder: bytes.prefix(Int(count)))) else { return CURL_SOCKET_BAD }
    return unsafe ccurl_open_socket(address)
}

let beforeRequest: curl_prereq_callback = { context, remoteAddress, _, _, _ in
    guard let context = unsafe context, let remoteAddress = unsafe remoteAddress else { return CURL_PREREQFUNC_ABORT }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let address = unsafe IPAddress(String(cString: remoteAddress))
    return transfer.maySendRequest(to: address) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}
