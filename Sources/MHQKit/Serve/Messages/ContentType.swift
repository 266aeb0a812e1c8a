/// The media type of a file, by its name.
enum ContentType {
    /// What a file is when its name does not say (RFC 9110 section 8.3).
    static let unknown = "application/octet-stream"

    /// - Parameter name: a file name; only what follows its last dot counts.
    static func of(_ name: some BidirectionalCollection<UInt8>) -> String {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex else { return unknown }
        let suffix = name[name.index(after: dot)...]
        guard suffix.count <= longestSuffix else { return unknown }
        return bySuffix[String(decoding: suffix, as: UTF8.self).lowercased()] ?? unknown
    }

    private static let longestSuffix = 12

    private static let bySuffix: [String: String] = text.mapValues { $0 + "; charset=utf-8" }
        .merging(binary) { text, _ in text }

    private static let text = [
        "html": "text/html", "htm": "text/html", "xhtml": "application/xhtml+xml", "css": "text/css",
        "js": "text/javascript", "mjs": "text/javascript", "txt": "text/plain", "log": "text/plain",
        "md": "text/markdown", "csv": "text/csv", "tsv": "text/tab-separated-values", "ics": "text/calendar",
        "vtt": "text/vtt", "xml": "application/xml", "swift": "text/plain", "c": "text/plain",
        "h": "text/plain",
        "py": "text/plain", "sh": "text/plain", "yaml": "text/plain", "yml": "text/plain",
    ]

    private static let binary = [
        "json": "application/json", "map": "application/json", "jsonl": "application/jsonl",
        "webmanifest": "application/manifest+json", "wasm": "application/wasm", "pdf": "application/pdf",
        "zip": "application/zip", "gz": "application/gzip", "tar": "application/x-tar",
        "xz": "application/x-xz",
        "zst": "application/zstd", "bz2": "application/x-bzip2", "7z": "application/x-7z-compressed",
        "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
        "webp": "image/webp",
        "avif": "image/avif", "svg": "image/svg+xml", "ico": "image/vnd.microsoft.icon", "bmp": "image/bmp",
        "tif": "image/tiff", "tiff": "image/tiff", "mp3": "audio/mpeg", "ogg": "audio/ogg",
        "oga": "audio/ogg",
        "opus": "audio/ogg", "wav": "audio/wav", "flac": "audio/flac", "m4a": "audio/mp4", "aac": "audio/aac",
        "mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "mov": "video/quicktime",
        "mkv": "video/matroska", "ogv": "video/ogg", "m3u8": "application/vnd.apple.mpegurl",
        "ts": "video/mp2t",
        "mpd": "application/dash+xml", "woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf",
        "otf": "font/otf", "pem": "application/x-pem-file", "epub": "application/epub+zip",
        "rtf": "application/rtf", "sqlite": "application/vnd.sqlite3", "pcap": "application/vnd.tcpdump.pcap",
    ]
}
