import GodwitWire

extension FaultPlan {
    /// The plan with as little in it as still fails, for a person to look at.
    ///
    /// Tries to do without each fault, each client, each step of the work and each peculiarity of a link in
    /// turn, until nothing more can go. Runs take the plan's seed, so a run that fails stays repeatable.
    ///
    /// - Parameter fails: runs a plan and says whether it still fails.
    public func shrunk(whileFailing fails: (FaultPlan) -> Bool) -> FaultPlan {
        var smallest = self
        while let smaller = smallest.simplifications.first(where: fails) { smallest = smaller }
        return smallest
    }

    /// Every plan that is one step simpler.
    var simplifications: [FaultPlan] {
        let fewerFaults = faults.indices.map { index in changed { $0.faults.remove(at: index) } }
        return fewerFaults + withoutLastClient + simplerClients
    }

    private func changed<Result>(_ change: (inout FaultPlan) -> Result) -> FaultPlan {
        var plan = self
        _ = change(&plan)
        return plan
    }

    /// Only the last client can go: faults name clients by their index.
    private var withoutLastClient: [FaultPlan] {
        let last = clients.count - 1
        guard last > 0, !faults.contains(where: { $0.fault.client == last }) else { return [] }
        return [changed { $0.clients.removeLast() }]
    }

    private var simplerClients: [FaultPlan] {
        clients.indices.flatMap { index in
            clients[index].simplifications.map { client in changed { $0.clients[index] = client } }
        }
    }
}

extension ClientPlan {
    fileprivate var simplifications: [ClientPlan] {
        let fewerSteps = workload.indices.filter { _ in workload.count > 1 }.map { index in
            changed { $0.workload.remove(at: index) }
        }
        return fewerSteps + egress.simplifications.map { link in changed { $0.egress = link } }
            + ingress.simplifications.map { link in changed { $0.ingress = link } }
    }

    private func changed<Result>(_ change: (inout ClientPlan) -> Result) -> ClientPlan {
        var plan = self
        _ = change(&plan)
        return plan
    }
}

extension LinkParameters {
    fileprivate var simplifications: [LinkParameters] {
        let plain = LinkParameters()
        let candidates = [
            changed { $0.loss = 0 }, changed { $0.burstLoss = nil }, changed { $0.reordering = nil },
            changed { $0.duplication = 0 }, changed { $0.corruption = 0 }, changed { $0.jitter = .zero },
            changed { $0.ecn = .kept }, changed { $0.mtu = plain.mtu }, changed { $0.rate = nil },
            changed { $0.queue = plain.queue },
        ]
        return candidates.filter { $0 != self }
    }

    private func changed(_ change: (inout LinkParameters) -> Void) -> LinkParameters {
        var parameters = self
        change(&parameters)
        return parameters
    }
}

extension Fault {
    /// The client that the fault befalls.
    fileprivate var client: Int? {
        switch self {
        case .rebinding(let client, _), .move(let client, _), .outage(let client, _): client
        case .change(let client, _, _), .attack(let client, _, _), .freeze(.client(let client), _, _, _):
            client
        case .freeze(.server, _, _, _), .restart: nil
        }
    }
}
