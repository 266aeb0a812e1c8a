import GodwitWire

// The way of a datagram: interface → egress link → realm → (translator → egress link → realm)* → owner of the
// destination → ingress link → (translator → realm → ingress link)* → program. Every link ends in an event,
// even one without delay, so that no program is called while another one is being served.
extension SimulatedNetwork {
    /// Puts a datagram onto a link; `step` is where it leads.
    func carry(_ slot: UInt32, over link: LinkID?, to step: Datagram.Step) {
        pool[slot].step = step
        guard let link else { return events.schedule(.arrival, slot, at: now) }
        let before = pool[slot].ecn
        let size = pool[slot].packetSize
        let admission = links[Int(link.index)].admit(slot, size: size, ecn: &pool[slot].ecn, now: now)
        if pool[slot].ecn != before { record(.marked, slot, at: .link(link)) }
        switch admission {
        case .dropped(let reason): drop(slot, reason, at: .link(link))
        case .passes: launch(slot, on: link)
        case .transmits(let end): events.schedule(.transmission, link.index, at: end)
        case .waits: break
        }
    }

    func finishTransmission(on index: UInt32) {
        guard let (slot, next) = links[Int(index)].finishTransmission(now: now) else { return }
        if let next { events.schedule(.transmission, index, at: next) }
        launch(slot, on: LinkID(index: index))
    }

    private func launch(_ slot: UInt32, on link: LinkID) {
        let index = Int(link.index)
        if !links[index].taps.isEmpty, isIntercepted(slot, on: index) { return }
        let before = pool[slot].ecn
        let size = pool[slot].packetSize
        let flight = links[index].launch(size: size, ecn: &pool[slot].ecn, now: now)
        if let loss = flight.loss { return drop(slot, loss, at: .link(link)) }
        if pool[slot].ecn != before { record(.marked, slot, at: .link(link)) }
        if let second = flight.duplicateArrival {
            record(.duplicated, slot, at: .link(link))
            events.schedule(.arrival, pool.duplicate(slot), at: second)
        }
        if flight.isCorrupted {
            links[index].corrupt(pool[slot].bytes)
            record(.corrupted, slot, at: .link(link))
        }
        events.schedule(.arrival, slot, at: flight.arrival)
    }

    /// A datagram came out of a link.
    func arrive(_ slot: UInt32) {
        switch pool[slot].step {
        case .realm(let realm): route(slot, in: realm)
        case .host(let host, let interface): reach(host, interface: interface, slot)
        case .translator(let translator): enter(translator, slot)
        case .attacker(let attacker): relay(slot, by: attacker)
        }
    }

    /// Looks up where a datagram goes from the middle of a realm.
    private func route(_ slot: UInt32, in realm: Int) {
        let destination = pool[slot].destination
        if !addressOutages.isEmpty, isSwallowed(destination.ip) {
            return drop(slot, .blackHole, at: .internet)
        }
        switch realms[realm].owner(of: destination) {
        case .host(let host, let interface)?:
            let link = hosts[Int(host)].interfaces[interface].ingress
            carry(slot, over: link, to: .host(host, interface: interface))
        case .translator(let translator)?:
            carry(slot, over: translators[Int(translator)].ingress, to: .translator(translator))
        case .attacker(let attacker)?: carry(slot, over: nil, to: .attacker(attacker))
        case nil where realm == Realm.internet: drop(slot, .noRoute, at: .internet)
        case nil: leave(UInt32(realm - 1), slot)
        }
    }

    private func isSwallowed(_ ip: IPAddress) -> Bool {
        addressOutages[ip]?.contains { $0.covers(now) } ?? false
    }

    func drop(_ slot: UInt32, _ reason: DropReason, at place: TraceEvent.Place) {
        record(.dropped, slot, at: place, reason: reason)
        pool.free(slot)
    }
}

// MARK: - Through translators

extension SimulatedNetwork {
    /// Takes a datagram from the inside of a translator to the outside.
    private func leave(_ index: UInt32, _ slot: UInt32) {
        let place = TraceEvent.Place.translator(TranslatorID(index: index))
        let datagram = pool[slot]
        let source = translators[Int(index)].translator.translateOutbound(
            from: datagram.source, to: datagram.destination, now: now)
        guard let source else { return drop(slot, .translatorExhausted, at: place) }
        pool[slot].source = source
        record(.translated, slot, at: place)
        guard translators[Int(index)].translator.outsideAddresses.contains(datagram.destination.ip) else {
            let outer = Realm.inside(translators[Int(index)].behind)
            return carry(slot, over: translators[Int(index)].egress, to: .realm(outer))
        }
        guard translators[Int(index)].translator.parameters.hairpinning else {
            return drop(slot, .noRoute, at: place)
        }
        enter(index, slot)
    }

    /// Takes a datagram from the outside of a translator to the inside.
    private func enter(_ index: UInt32, _ slot: UInt32) {
        let place = TraceEvent.Place.translator(TranslatorID(index: index))
        let datagram = pool[slot]
        let inbound = translators[Int(index)].translator.translateInbound(
            from: datagram.source, to: datagram.destination, now: now)
        switch inbound {
        case .dropped(let reason): drop(slot, reason, at: place)
        case .admitted(let inside):
            pool[slot].destination = inside
            record(.translated, slot, at: place)
            routeInside(index, slot)
        }
    }

    private func routeInside(_ translator: UInt32, _ slot: UInt32) {
        let realm = Int(translator) + 1
        // The inside host may be gone; its datagrams must not be sent out again.
        guard realms[realm].owner(of: pool[slot].destination) != nil else {
            return drop(slot, .noRoute, at: .translator(TranslatorID(index: translator)))
        }
        route(slot, in: realm)
    }
}

// MARK: - Past attackers

extension SimulatedNetwork {
    /// Lets attackers copy a datagram; whether one of them kept it.
    private func isIntercepted(_ slot: UInt32, on link: Int) -> Bool {
        let datagram = pool[slot]
        var isKept = false
        for index in links[link].taps {
            let copy = attackers[Int(index)].listen(
                from: datagram.source, to: datagram.destination, now: now)
            guard let copy else { continue }
            send(copy, of: slot, by: index)
            isKept = isKept || attackers[Int(index)].parameters.interceptsOriginals
        }
        if isKept { drop(slot, .intercepted, at: .link(LinkID(index: UInt32(link)))) }
        return isKept
    }

    private func send(_ copy: Attacker.Copy, of slot: UInt32, by attacker: UInt32) {
        let forged = pool.duplicate(slot)
        pool[forged].source = copy.source
        pool[forged].step = .realm(Realm.internet)
        record(.forged, forged, at: .attacker(AttackerID(index: attacker)))
        events.schedule(.arrival, forged, at: copy.time)
    }

    /// Hands a datagram that was sent to an attacker on to whom it stood in for.
    private func relay(_ slot: UInt32, by attacker: UInt32) {
        let place = TraceEvent.Place.attacker(AttackerID(index: attacker))
        guard let target = attackers[Int(attacker)].relayTarget(for: pool[slot].source) else {
            return drop(slot, .intercepted, at: place)
        }
        pool[slot].destination = target
        record(.forged, slot, at: place)
        carry(slot, over: nil, to: .realm(Realm.internet))
    }
}
