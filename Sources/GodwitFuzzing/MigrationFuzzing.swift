import GodwitWire

/// What a server says of its moves: the lowest bit of the first byte says whether transport parameters follow, or
/// frames. What is accepted is written back and read again as the same.
enum MigrationFuzzing {
    static func run(_ input: UnsafeRawBufferPointer) {
        guard let first = input.first else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: input[1...])
        if first & 1 == 0 {
            decodeFrames(bytes)
        } else {
            decodeParameters(bytes, first & 2 == 0 ? .client : .server)
        }
    }

    // MARK: Frames

    private static func decodeFrames(_ bytes: UnsafeRawBufferPointer) {
        var reader = ByteReader(bytes)
        while !reader.isAtEnd {
            guard let type = try? FrameType.decode(&reader) else { return }
            let frame = try? MigrationFrame.decode(type: type, from: &reader)
            require(frame == nil || MigrationFrameType.isKnown(type), "only known frames are read")
            guard let frame else { return }
            require(frame.type == type, "a frame is of the type that it came under")
            check(frame)
        }
    }

    private static func check(_ frame: MigrationFrame) {
        withUnsafeTemporaryAllocation(byteCount: frame.encodedSize, alignment: 1) { buffer in
            var writer = ByteWriter(buffer)
            frame.encode(into: &writer)
            require(writer.remaining == 0, "a frame takes what it says it takes")
            var reader = ByteReader(UnsafeRawBufferPointer(writer.written))
            let type = try? FrameType.decode(&reader)
            let again = type.flatMap { try? MigrationFrame.decode(type: $0, from: &reader) }
            require(again == frame && reader.isAtEnd, "a frame is read as it was written")
        }
        switch frame {
        case .serverMigration(let address), .poolMigrationAddress(let address): check(address)
        case .serverMigrated, .alternativeAddress: break
        }
    }

    private static func check(_ address: MigrationAddress) {
        require(address.addresses.count <= 2, "one address a family")
        for named in address.addresses {
            require(named.port != 0 && !named.ip.isUnspecified, "an address is one that a host can have")
        }
        require(!address.isAllZero || address.addresses.isEmpty, "no address comes of zeros")
    }

    // MARK: Transport parameters

    private static func decodeParameters(_ bytes: UnsafeRawBufferPointer, _ sender: Role) {
        let ids = MigrationTransportParameter.ids
        guard var parameters = try? TransportParameters.decode(bytes, sender: sender, keeping: ids) else {
            return
        }
        let read = parameters
        let suite = try? parameters.serverMigrationSuite()
        let offers = try? parameters.offersAlternativeAddresses()
        if let suite { parameters.setServerMigrationSuite(suite) }
        if let offers { parameters.setOffersAlternativeAddresses(offers) }
        require((try? parameters.serverMigrationSuite()) == suite, "a suite is read as it was written")
        require((try? parameters.offersAlternativeAddresses()) == offers, "an offer is read as it was made")
        require(
            offers == nil || suite == nil || parameters.additional.count == read.additional.count,
            "what was not sent is not added")
    }

    static var seeds: [[UInt8]] {
        let lone = frames.map { frame in written { frame.encode(into: &$0) } }
        return (lone + [Array(lone.joined())]).map { [0] + $0 } + [
            [1] + parameters(sender: .client), [3] + parameters(sender: .server),
        ]
    }

    private static var frames: [MigrationFrame] {
        let ipv4 = NetworkAddress("192.0.2.1:443")!
        let ipv6 = NetworkAddress("[2001:db8::1]:443")!
        return [
            .serverMigration(MigrationAddress(ipv4: ipv4, ipv6: ipv6)), .serverMigration(.none),
            .serverMigrated, .poolMigrationAddress(MigrationAddress(ipv6)),
            .alternativeAddress(
                AlternativeAddressFrame(address: ipv4, sequenceNumber: 300, isPreferred: true)),
            .alternativeAddress(AlternativeAddressFrame(address: ipv6, sequenceNumber: 1, isRetired: true)),
        ]
    }

    private static func parameters(sender: Role) -> [UInt8] {
        var parameters = TransportParameters()
        parameters.setServerMigrationSuite(0x4001)
        parameters.setOffersAlternativeAddresses(sender == .client)
        return parameters.encoded(sender: sender)
    }
}
