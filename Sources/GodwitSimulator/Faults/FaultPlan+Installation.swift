import GodwitWire

/// Where the parts of a ``FaultPlan`` are in the network that it was installed in.
public struct FaultPlanInstallation: Hashable, Sendable {
    /// The server's host.
    public let server: HostID
    /// The clients' hosts, in the order of the plan.
    public let clients: [HostID]
    /// The links that carry what the clients send, in the order of the plan.
    public let egresses: [LinkID]
    /// The links that carry what is sent to the clients, in the order of the plan.
    public let ingresses: [LinkID]
    /// The clients' translators, in the order of the plan.
    public let translators: [TranslatorID?]
}

extension FaultPlan {
    /// Puts the plan's hosts, links, translators and faults into a network that has not run yet.
    ///
    /// - Parameters:
    ///   - network: the network.
    ///   - server: the server's program.
    ///   - restartedServer: makes the program that the server's host runs once it is started again; nil for
    ///     the same one.
    ///   - client: makes the program of the client with that index.
    @discardableResult
    public func install(
        in network: SimulatedNetwork, server: any SimulatedProgram,
        restartedServer: (() -> any SimulatedProgram)? = nil, client: (Int) -> any SimulatedProgram
    ) -> FaultPlanInstallation {
        let serverHost = network.addHost(
            "server", interfaces: [Interface(self.server.address)], running: server,
            clockOffset: self.server.clockOffset, collecting: self.server.collecting)
        let egresses = clients.indices.map { network.addLink(clients[$0].egress, named: "client \($0) up") }
        let ingresses = clients.indices.map {
            network.addLink(clients[$0].ingress, named: "client \($0) down")
        }
        let translators = clients.indices.map { index in
            clients[index].translator.map { plan in
                network.addTranslator(
                    "translator \(index)", plan.parameters, at: [plan.outside], egress: egresses[index],
                    ingress: ingresses[index])
            }
        }
        let hosts = clients.indices.map { index in
            install(
                clients[index], index, client(index), in: network, translators[index], egresses[index],
                ingresses[index])
        }
        let installation = FaultPlanInstallation(
            server: serverHost, clients: hosts, egresses: egresses, ingresses: ingresses,
            translators: translators)
        schedule(in: network, installation, restartedServer ?? { server })
        return installation
    }

    private func install(
        _ plan: ClientPlan, _ index: Int, _ program: any SimulatedProgram, in network: SimulatedNetwork,
        _ translator: TranslatorID?, _ egress: LinkID, _ ingress: LinkID
    ) -> HostID {
        // Where there is a translator, the access lies between it and the internet.
        let interface =
            translator.map { Interface(plan.address, behind: $0) }
            ?? Interface(plan.address, egress: egress, ingress: ingress)
        return network.addHost(
            "client \(index)", interfaces: [interface], running: program, clockOffset: plan.clockOffset,
            collecting: plan.collecting, startingAt: .zero + plan.start)
    }

    private func schedule(
        in network: SimulatedNetwork, _ installation: FaultPlanInstallation,
        _ restartedServer: @escaping () -> any SimulatedProgram
    ) {
        for (number, timed) in faults.enumerated() {
            network.schedule(at: .zero + timed.time) { network in
                timed.fault.happen(number, in: network, installation, restartedServer)
            }
        }
    }
}

extension Fault {
    fileprivate func happen(
        _ number: Int, in network: SimulatedNetwork, _ installation: FaultPlanInstallation,
        _ restartedServer: @escaping () -> any SimulatedProgram
    ) {
        switch self {
        case .rebinding(let client, let address):
            guard let translator = installation.translators[client] else { return }
            network.rebind(translator, to: address.map { [$0] })
        case .freeze(let participant, let lasting, let jump, let address):
            let host = installation.host(participant)
            network.freeze(host)
            network.schedule(after: lasting) {
                $0.thaw(host, movingTo: address.map { [Interface($0)] }, clockJump: jump)
            }
        case .restart(let lasting):
            let host = installation.server
            network.freeze(host)
            network.schedule(after: lasting) { $0.restart(host, running: restartedServer()) }
        case .move(let client, let address):
            let (egress, ingress) = (installation.egresses[client], installation.ingresses[client])
            network.move(
                installation.clients[client], to: [Interface(address, egress: egress, ingress: ingress)])
        case .outage(let client, let lasting):
            let outage = Outage.between(network.now, network.now + lasting)
            for link in [installation.egresses[client], installation.ingresses[client]] {
                var parameters = network.parameters(of: link)
                parameters.outages.append(outage)
                network.change(link, to: parameters)
            }
        case .change(let client, let egress, let ingress):
            network.change(installation.egresses[client], to: egress)
            network.change(installation.ingresses[client], to: ingress)
        case .attack(let client, let parameters, let address):
            network.addAttacker(
                "attacker \(number)", at: address, listeningOn: [installation.egresses[client]], parameters)
        }
    }
}

extension FaultPlanInstallation {
    fileprivate func host(_ participant: Fault.Participant) -> HostID {
        switch participant {
        case .server: server
        case .client(let index): clients[index]
        }
    }
}
