import GodwitCore
import Logging

extension ConnectionDriver {
    var logMetadata: Logger.Metadata {
        ["connection": "\(handle)", "remote": "\(core.remoteAddress)", "role": "\(role)"]
    }
}
