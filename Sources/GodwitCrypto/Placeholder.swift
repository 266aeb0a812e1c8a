internal import CNIOBoringSSL
func probe() { _ = SSL_CTX_new(TLS_method()) }
