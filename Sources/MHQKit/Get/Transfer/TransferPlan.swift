import GodwitHTTP3
import HTTPTypes

/// One request, and where its answer goes.
struct Transfer: Sendable {
    let url: TargetURL
    let origin: HTTP3Origin
    let request: HTTPRequest
    let target: OutputTarget
}

/// Everything that is to be done, made from the options and checked before anything is sent.
struct TransferPlan: Sendable {
    let options: GetOptions
    let transfers: [Transfer]
    let upload: UploadSource?

    /// How many are under way at once: content on standard output would be mixed up.
    var parallel: Int {
        let isMixed = transfers.count > 1 && transfers.contains { $0.target == .standardOutput }
        return isMixed ? 1 : options.parallel
    }

    /// - Throws: a failure that names the option or the URL.
    init(_ options: GetOptions) throws(Failure) {
        self.options = options
        guard 1...10_000 ~= options.parallel else {
            throw Failure(ExitCode.usage, "--parallel: must be 1 to 10000")
        }
        guard options.repetitions > 0 else { throw Failure(ExitCode.usage, "--repeat: must be 1 or more") }
        upload = try UploadSource(data: options.data, upload: options.upload)
        guard !(options.isHead && upload != nil) else {
            throw Failure(ExitCode.usage, "--head: nothing can be sent with it")
        }
        let urls = try options.urls.map { text throws(Failure) in try Self.url(text) }
        guard !urls.isEmpty else { throw Failure(ExitCode.usage, "no URL") }
        let targets = try OutputPlan.targets(
            for: urls, files: options.outputs, usesRemoteNames: options.usesRemoteNames,
            reportsJSON: options.reportsJSON)
        let (fields, host) = try Self.fields(options, upload)
        let method = options.isHead ? .head : upload?.method ?? .get
        let once = zip(urls, targets).map { url, target in
            let request = HTTPRequest(
                method: method, scheme: "https", authority: host ?? url.authority, path: url.path,
                headerFields: fields)
            return Transfer(
                url: url, origin: HTTP3Origin(host: url.host, port: url.port), request: request,
                target: target)
        }
        transfers = (0..<options.repetitions).flatMap { _ in once }
        guard upload?.isRepeatable ?? true || transfers.count == 1 else {
            throw Failure(ExitCode.usage, "standard input can be sent once only")
        }
    }

    private static func url(_ text: String) throws(Failure) -> TargetURL {
        do { return try TargetURL(text) } catch {
            // One line, whatever is in it.
            throw Failure(ExitCode.usage, "URL '\(Columns.printable(text))' \(error.reason)")
        }
    }

    /// The fields of every request, and the authority if the user wants another than the URL's.
    private static func fields(
        _ options: GetOptions, _ upload: UploadSource?
    ) throws(Failure) -> (HTTPFields, host: String?) {
        var fields: HTTPFields = [.userAgent: "mhq", .accept: "*/*"]
        if let upload { fields[.contentType] = upload.contentType }
        var host: String?
        var given: Set<HTTPField.Name> = []
        for text in options.headers {
            let header = try HeaderOption(text)
            guard let name = HTTPField.Name(header.name) else {
                throw Failure(ExitCode.usage, "--header: '\(header.name)' is no field name")
            }
            if name == .host {
                host = header.value
                continue
            }
            // What the user says takes the place of what we would say, but not of what else the user says.
            if given.insert(name).inserted { fields[values: name] = [] }
            fields.append(HTTPField(name: name, value: header.value))
        }
        return (fields, host)
    }
}
