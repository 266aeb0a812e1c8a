import GodwitCrypto
import GodwitWire

/// The bytes that hexadecimal text stands for.
func hex(_ text: String) -> [UInt8] { Hexadecimal.decode(text)! }

extension HeaderProtectionKey {
    func mask(_ sample: [UInt8]) -> HeaderProtectionMask { sample.withUnsafeBytes { mask($0) } }
}

extension HeaderProtectionMask {
    var bytes: [UInt8] { [firstByte] + (0..<4).map { packetNumberByte($0) } }
}

extension PacketKey {
    /// The payload sealed, tag included.
    func seal(_ payload: [UInt8], packetNumber: UInt64, header: [UInt8]) -> [UInt8] {
        var buffer = payload + [UInt8](repeating: 0, count: CipherSuite.tagLength)
        header.withUnsafeBytes { header in
            buffer.withUnsafeMutableBytes { seal(packetNumber: packetNumber, header: header, payload: $0) }
        }
        return buffer
    }

    func open(_ sealed: [UInt8], packetNumber: UInt64, header: [UInt8]) -> [UInt8]? {
        var buffer = sealed
        let count = header.withUnsafeBytes { header in
            buffer.withUnsafeMutableBytes { open(packetNumber: packetNumber, header: header, payload: $0) }
        }
        return count.map { Array(buffer[..<$0]) }
    }
}

/// A generator that each test can have for itself.
func randomGenerator(_ number: UInt8 = 0) -> RandomGenerator {
    RandomGenerator(seed: [UInt8](repeating: number, count: RandomGenerator.seedLength))
}
