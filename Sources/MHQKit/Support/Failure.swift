/// Why a command ends early: one line for people and an exit code of sysexits(3).
public struct Failure: Error, Hashable, Sendable {
    /// What went wrong, naming the option, file or field that is at fault.
    public var message: String
    /// 64 to 78, see ``ExitCode``.
    public var exitCode: Int32

    /// A failure with one of the codes of ``ExitCode``.
    public init(_ exitCode: Int32, _ message: String) {
        self.message = message
        self.exitCode = exitCode
    }
}

extension Failure: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}

/// The exit codes that the commands use; sysexits(3) names them.
public enum ExitCode {
    /// The command was used wrongly.
    public static let usage: Int32 = 64
    /// What was given in a file or field is wrong.
    public static let dataError: Int32 = 65
    /// A file to read is not there or can't be read.
    public static let noInput: Int32 = 66
    /// A host name is unknown.
    public static let noHost: Int32 = 68
    /// Something needed is not there: a server that doesn't answer, a tool that isn't installed.
    public static let unavailable: Int32 = 69
    /// An error in the program itself.
    public static let software: Int32 = 70
    /// The operating system refused something: a port in use, no more file descriptors.
    public static let system: Int32 = 71
    /// A file can't be made.
    public static let cannotCreate: Int32 = 73
    /// Reading or writing a file failed half-way.
    public static let ioError: Int32 = 74
    /// The peer broke the protocol.
    public static let protocolError: Int32 = 76
    /// A right is missing.
    public static let noPermission: Int32 = 77
    /// A configuration is wrong.
    public static let configuration: Int32 = 78
}
