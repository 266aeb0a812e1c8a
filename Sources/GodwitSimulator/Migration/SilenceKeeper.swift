import GodwitWire

/// Keeps a server from saying anything from where it has gone until a client has found it there.
final class SilenceKeeper: Checker {
    let name = "silence"
    private unowned let network: SimulatedNetwork
    private let address: NetworkAddress
    private let link: LinkID
    private let parameters: LinkParameters
    private var isMute = true

    /// - Parameters:
    ///   - address: where the server goes.
    ///   - link: what carries what it sends from there.
    init(_ network: SimulatedNetwork, at address: NetworkAddress, over link: LinkID) {
        self.network = network
        self.address = address
        self.link = link
        parameters = network.parameters(of: link)
        var mute = parameters
        mute.loss = 1
        network.change(link, to: mute)
    }

    func check(_ event: TraceEvent, payload: UnsafeRawBufferPointer) -> String? {
        // The program is told of the datagram after this, so its answer is on the air.
        guard isMute, event.kind == .delivered, event.destination == address else { return nil }
        isMute = false
        network.change(link, to: parameters)
        return nil
    }
}
