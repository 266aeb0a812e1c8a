public import GodwitWire

// What happens to nodes while a network runs. All of it takes effect at once; use
// ``SimulatedNetwork/schedule(at:_:)`` for later.
extension SimulatedNetwork {
    /// Gives a link other parameters. A datagram that is being put onto the line, or is on it, is not
    /// affected.
    public func change(_ link: LinkID, to parameters: LinkParameters) {
        links[Int(link.index)].change(to: parameters)
        record(.linkChanged, at: .link(link))
    }

    /// Lets all that is sent to an IP address vanish during an outage.
    public func addOutage(_ outage: Outage, of address: IPAddress) {
        addressOutages[address, default: []].append(outage)
    }

    /// Makes a translator forget its bindings: what hosts inside send next comes from other ports.
    ///
    /// - Parameters:
    ///   - translator: the translator.
    ///   - addresses: new outside addresses; nil to keep those it has.
    public func rebind(_ translator: TranslatorID, to addresses: [IPAddress]? = nil) {
        let index = Int(translator.index)
        let realm = Realm.inside(translators[index].behind)
        for address in translators[index].translator.outsideAddresses {
            realms[realm].unregister(translatorAt: address)
        }
        translators[index].translator.rebind(to: addresses)
        for address in translators[index].translator.outsideAddresses {
            realms[realm].register(translator: translator.index, at: address)
        }
        record(.rebound, at: .translator(translator))
    }

    /// Freezes a host: from now on it does nothing, and all that is sent to it is lost.
    public func freeze(_ host: HostID) {
        guard hosts[Int(host.index)].isRunning else { return }
        hosts[Int(host.index)].condition = .frozen
        record(.frozen, at: .host(host))
        dropCollected(by: host)
    }

    /// Thaws a host that was frozen, perhaps elsewhere, and resumes its program.
    ///
    /// - Parameters:
    ///   - host: the host. One that isn't frozen is left alone.
    ///   - interfaces: where it is now; nil for where it was. Its old addresses then belong to nobody.
    ///   - jump: what the host's clock moved beyond the time that passed; on another machine it may be days
    ///     off either way.
    public func thaw(
        _ host: HostID, movingTo interfaces: [Interface]? = nil, clockJump jump: TimeSpan = .zero
    ) {
        guard hosts[Int(host.index)].condition == .frozen else { return }
        hosts[Int(host.index)].condition = .running
        hosts[Int(host.index)].clockOffset = hosts[Int(host.index)].clockOffset + jump
        record(.thawed, at: .host(host))
        resume(host, at: interfaces)
    }

    /// Gives a running host other addresses or other links and resumes its program; a frozen one moves as it
    /// is thawed.
    public func move(_ host: HostID, to interfaces: [Interface]) {
        guard hosts[Int(host.index)].isRunning else { return }
        resume(host, at: interfaces)
    }

    /// Gives a host a further address, of which its program is not told.
    public func addInterface(_ interface: Interface, to host: HostID) {
        guard hosts[Int(host.index)].condition != .removed else { return }
        unregister(host)
        hosts[Int(host.index)].interfaces.append(interface)
        register(host)
        record(.moved, at: .host(host), source: interface.address)
    }

    private func resume(_ host: HostID, at interfaces: [Interface]?) {
        let index = Int(host.index)
        let old = hosts[index].interfaces.first?.address
        if let interfaces { relocate(host, to: interfaces) }
        let new = hosts[index].interfaces.first?.address
        // The clock may have jumped, so what was armed says nothing.
        hosts[index].armed = nil
        let program = hosts[index].program
        var random = hosts[index].random
        program.resume(now: localTime(of: host), localAddress: new == old ? nil : new, random: &random)
        hosts[index].random = random
        serve(host.index)
    }

    private func relocate(_ host: HostID, to interfaces: [Interface]) {
        unregister(host)
        hosts[Int(host.index)].interfaces = interfaces
        register(host)
        for interface in interfaces { record(.moved, at: .host(host), source: interface.address) }
    }

    /// Takes a host away: its addresses belong to nobody, and its program is not called again.
    public func remove(_ host: HostID) {
        guard hosts[Int(host.index)].condition != .removed else { return }
        unregister(host)
        hosts[Int(host.index)].condition = .removed
        record(.removed, at: .host(host))
        dropCollected(by: host)
    }

    /// Runs another program on a host, at the same addresses: the old one crashed, say, and knew nothing of
    /// it. A frozen host goes on with the new program.
    public func restart(_ host: HostID, running program: any SimulatedProgram) {
        guard hosts[Int(host.index)].hasStarted else { return }
        record(.restarted, at: .host(host))
        dropCollected(by: host)
        hosts[Int(host.index)].program = program
        hosts[Int(host.index)].armed = nil
        hosts[Int(host.index)].condition = .waiting
        start(host)
    }

    /// Has a host's program transmit and say its next deadline, after something outside the network changed
    /// it: an application that opened a stream, say.
    public func wake(_ host: HostID) { serve(host.index) }

    func register(_ host: HostID) {
        for (index, interface) in hosts[Int(host.index)].interfaces.enumerated() {
            realms[Realm.inside(interface.behind)].register(
                interface.address, owner: .host(host.index, interface: index))
        }
    }

    private func unregister(_ host: HostID) {
        for interface in hosts[Int(host.index)].interfaces {
            realms[Realm.inside(interface.behind)].unregister(interface.address)
        }
    }
}
