internal import CNIOBoringSSL

/// What BoringSSL calls an error.
func errorText(_ error: UInt32) -> String {
    guard error != 0, let text = ERR_reason_error_string(error) else { return "no reason given" }
    return String(cString: text)
}

/// Takes the first error out of the thread's queue and empties it.
func takeError() -> UInt32 {
    defer { ERR_clear_error() }
    return ERR_peek_error()
}
