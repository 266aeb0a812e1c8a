public import GodwitWire

/// Someone who looks on as a network runs.
public protocol SimulationObserver: AnyObject {
    /// Something happened.
    ///
    /// - Parameters:
    ///   - event: what.
    ///   - payload: the payload of the datagram that it happened to, valid only during the call; empty where
    ///     there is none.
    func observe(_ event: TraceEvent, payload: UnsafeRawBufferPointer)

    /// A program reported something. By default nothing happens.
    func observe(_ observation: Observation, from host: HostID, at time: Instant)
}

extension SimulationObserver {
    /// Does nothing.
    public func observe(_ observation: Observation, from host: HostID, at time: Instant) {}
}

/// A judge of something that must hold in every run.
///
/// Each method returns what is wrong in words, or nil if nothing is. The network adds the time and the
/// checker's name and collects it in ``SimulatedNetwork/violations``.
public protocol Checker: AnyObject {
    /// What the checker watches over, for messages.
    var name: String { get }

    /// Judges what happened. By default there is nothing to say.
    func check(_ event: TraceEvent, payload: UnsafeRawBufferPointer) -> String?

    /// Judges what a program reported. By default there is nothing to say.
    func check(_ observation: Observation, from host: HostID, at time: Instant) -> String?

    /// Judges the run as a whole when it is over. By default there is nothing to say.
    func checkEnd(at time: Instant) -> [String]
}

extension Checker {
    /// Nothing is wrong.
    public func check(_ event: TraceEvent, payload: UnsafeRawBufferPointer) -> String? { nil }
    /// Nothing is wrong.
    public func check(_ observation: Observation, from host: HostID, at time: Instant) -> String? { nil }
    /// Nothing is wrong.
    public func checkEnd(at time: Instant) -> [String] { [] }
}

/// Something that must never happen, and did.
public struct Violation: Error, Hashable, Sendable {
    /// Who found it.
    public var checker: String
    /// When, on the network's clock.
    public var time: Instant
    /// What is wrong.
    public var message: String

    /// A violation that someone other than a checker found.
    public init(checker: String, time: Instant, message: String) {
        self.checker = checker
        self.time = time
        self.message = message
    }
}

extension Violation: CustomStringConvertible {
    /// `[amplification] at 0.120000 s: …`.
    public var description: String { "[\(checker)] at \(time.inSecondsText): \(message)" }
}
