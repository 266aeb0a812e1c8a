import GodwitQPACK
import GodwitWire

extension QPACKFuzzing {
    static var seeds: [[UInt8]] {
        let lines: [UInt8] = [9, 5, 1, 2, 3, 4, 5, 3, 4, 65, 66, 67, 68, 0, 2, 70, 71, 10, 0x44, 1, 2, 3, 4]
        let encode = QPACKScript.step(.encode, 1, lines)
        let again = QPACKScript.step(.encode, 2, lines)
        let settle = QPACKScript.step(.settle)
        let late = QPACKScript.step(.section, 0) + QPACKScript.step(.encoderStream, 20)
        let (stream, section) = instructions(lines)
        let forged =
            QPACKScript.step(.forgedEncoderStream, 0, stream) + QPACKScript.step(.forgedSection, 1, section)
        let increments = QPACKScript.step(.forgedDecoderStream, 0, [0x81, 0x41, 0x01])
        let cancelled = encode + QPACKScript.step(.cancel, 1) + again + settle
        let poor = QPACKScript.step(.credit, 2) + encode + again + settle
        let orderly: [UInt8] = encode + again + settle + encode + settle
        let stories = [
            orderly, encode + again + late + settle, cancelled, poor, forged + settle,
            encode + settle + increments,
        ]
        let limits: [[UInt8]] = [
            [0xff, 7], [0b1010_0100, 4], [0b0101_1011, 2], [0b1100_1001, 3], [0, 0],
        ]
        return limits.flatMap { limit in stories.map { limit + $0 } }
    }

    /// What an encoder says, as bytes that mutations can get at.
    private static func instructions(_ lines: [UInt8]) -> ([UInt8], [UInt8]) {
        var encoder = QPACKEncoder()
        try? encoder.applyPeerSettings(maximumTableCapacity: 4096, blockedStreams: 100)
        var (stream, section): ([UInt8], [UInt8]) = ([], [])
        for _ in 0..<2 {
            section = []
            encoder.encode(FuzzedSections.section(lines), stream: 4, into: &section)
        }
        encoder.takeEncoderStreamBytes(into: &stream)
        return (stream, section)
    }
}
