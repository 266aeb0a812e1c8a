import Foundation

/// What the container's side says to the network in the course of a move, one JSON object a datagram.
///
/// It goes on when it has heard `OK`, and says it again until then: so all is done in order, and nothing twice.
struct NetworkRequest: Codable, Hashable, Sendable {
    enum Step: String, Codable {
        /// An order has come.
        case begin
        /// The server is about to stand still: nothing may get to it.
        case hold
        /// It stands still, and its address goes.
        case leave
        /// It gets the address of the place.
        case arrive
        /// It is about to go on.
        case release
        /// It goes on, or the move has failed.
        case end
    }

    /// Counts the requests of a run, from 1.
    var number: Int
    var step: Step
    /// Which of the server's places this is about.
    var place: Int
    /// Of the order at the begin, and at the end of when the server went on, if it did; Unix time, seconds.
    var time: Double?
    /// What must not happen, in words.
    var flaws: [String] = []
}

extension NetworkRequest {
    init?(_ text: String) {
        guard let request = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)),
            0...1 ~= request.place
        else { return nil }
        self = request
    }

    var text: String {
        (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
