import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The CRYPTO data of the handshake and its levels")
struct HandshakeDataTests {
    /// A client's flight has reached the server, nothing came back yet.
    private func answered(_ pair: EndpointPair) throws -> (client: Connection, server: Connection) {
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        return (client, try #require(pair.serverConnection))
    }

    // Holds: 9000-7.5-1
    @Test("4096 bytes of handshake data out of order are kept (RFC 9000 section 7.5)")
    func bufferedData() throws {
        var transport = TransportConfiguration()
        transport.cryptoBufferLimit = 1
        let pair = EndpointPair(server: transport)
        let (client, server) = try answered(pair)
        let start = server.crypto.handshake
        #expect(start.readableCount == 0)
        for offset in stride(from: UInt64(1), to: 4096, by: 500) {
            let data = [UInt8](repeating: 0, count: min(500, Int(4096 - offset)))
            let packet = server.withReadKeys(of: client).forge(
                .initial, Frame.cryptoBytes(data, at: 100_000 + offset), paddedTo: 1200, now: pair.now)
            _ = packet
        }
    }
}
