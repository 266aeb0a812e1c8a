"""The link's event loop: reads from both sides, and delivers each datagram when its time has come.

Its clock is the real-time one, as the kernel's timestamps of arrival are.
"""

from __future__ import annotations

import heapq
import itertools
import random
import select
import time
from dataclasses import dataclass
from pathlib import Path

from capture.pcap import Address, Writer
from link.pipe import Pipe
from link.scenario import Scenario
from link.sockets import EcnSocket, Received

# Sizes of the headers that a datagram has on the wire.
IPV4_AND_UDP = 28
IPV6_AND_UDP = 48
# Bounds how long a request to stop stays unnoticed.
LONGEST_WAIT = 0.2


@dataclass
class Flow:
    """A client's address, and the socket that stands for it towards the server."""

    client: Address
    binding: EcnSocket


@dataclass
class Delivery:
    pipe: Pipe
    flow: Flow
    # The binding on which the datagram came or was to leave: gone after a rebinding.
    binding: EcnSocket
    door: int
    ecn: int
    payload: bytes


class Forwarder:
    """Each of the server's addresses has a door: the address at which clients reach it through the link."""

    def __init__(
        self, scenario: Scenario, servers: list[Address], client_capture: Path, server_capture: Path
    ) -> None:
        self._scenario = scenario
        self._servers = servers
        self._doors = [EcnSocket((host, 0)) for host, _ in servers]
        self._to_server = Pipe(scenario, to_server=True)
        self._to_client = Pipe(scenario, to_server=False)
        self._client_side = Writer(client_capture)
        self._server_side = Writer(server_capture)
        self._flows: dict[Address, Flow] = {}
        self._agenda: list[tuple[float, int, Delivery]] = []
        self._ordinals = itertools.count()
        self._started_at: float | None = None
        self._next_rebinding: float | None = None
        self._address_generator = random.Random(scenario.seed)
        self.rebindings = 0

    @property
    def doors(self) -> list[Address]:
        return [door.address for door in self._doors]

    def statistics(self) -> dict[str, int]:
        return {
            "flows": len(self._flows),
            "rebindings": self.rebindings,
            "dropped by the queue to the server": self._to_server.dropped_by_queue,
            "dropped by the queue to the client": self._to_client.dropped_by_queue,
            "too large": self._to_server.dropped_by_size + self._to_client.dropped_by_size,
        }

    def close(self) -> None:
        self._client_side.close()
        self._server_side.close()

    def step(self) -> None:
        """Waits for the next thing to do, and does it."""
        bindings = {flow.binding: flow for flow in self._flows.values()}
        readable, _, _ = select.select([*self._doors, *bindings], [], [], self._time_to_wait())
        for ready in readable:
            if ready in bindings:
                self._read_from_server(bindings[ready])
            else:
                self._read_from_clients(ready)
        now = time.time()
        self._rebind_if_due(now)
        while self._agenda and self._agenda[0][0] <= now:
            self._deliver(heapq.heappop(self._agenda)[2], now)

    def _time_to_wait(self) -> float:
        due = [self._agenda[0][0]] if self._agenda else []
        if self._next_rebinding is not None:
            due.append(self._next_rebinding)
        return min(LONGEST_WAIT, max(0.0, min(due) - time.time())) if due else LONGEST_WAIT

    def _read_from_clients(self, door: EcnSocket) -> None:
        for datagram in door.receive():
            client = datagram.sender
            self._client_side.write(datagram.time_ns, client, door.address, datagram.ecn, datagram.payload)
            self._start_the_clock()
            self._schedule(
                self._to_server, self._flow(client, door.is_ipv6), self._doors.index(door), datagram
            )

    def _read_from_server(self, flow: Flow) -> None:
        for datagram in flow.binding.receive():
            server = datagram.sender
            if server not in self._servers:
                continue
            address = flow.binding.address
            self._server_side.write(datagram.time_ns, server, address, datagram.ecn, datagram.payload)
            self._schedule(self._to_client, flow, self._servers.index(server), datagram)

    def _schedule(self, pipe: Pipe, flow: Flow, door: int, datagram: Received) -> None:
        size = len(datagram.payload) + (IPV6_AND_UDP if flow.binding.is_ipv6 else IPV4_AND_UDP)
        # When the datagram came counts, not when this process got around to reading it.
        arrival = pipe.admit(size, datagram.time_ns / 1e9)
        if arrival is not None:
            delivery = Delivery(pipe, flow, flow.binding, door, datagram.ecn, datagram.payload)
            heapq.heappush(self._agenda, (arrival, next(self._ordinals), delivery))

    def _deliver(self, delivery: Delivery, now: float) -> None:
        elapsed = now - (self._started_at or now)
        payload = delivery.pipe.deliver(delivery.payload, delivery.flow.client, elapsed)
        if payload is None:
            return
        if delivery.pipe is self._to_server:
            self._hand_to_server(delivery, payload)
        elif delivery.binding is delivery.flow.binding:
            self._hand_to_client(delivery, payload)

    def _hand_to_server(self, delivery: Delivery, payload: bytes) -> None:
        # The translator sits at the server's end of the link: what is under way leaves by the new binding.
        binding, server = delivery.flow.binding, self._servers[delivery.door]
        self._server_side.write(time.time_ns(), binding.address, server, delivery.ecn, payload)
        binding.send(payload, delivery.ecn, server)

    def _hand_to_client(self, delivery: Delivery, payload: bytes) -> None:
        door, client = self._doors[delivery.door], delivery.flow.client
        self._client_side.write(time.time_ns(), door.address, client, delivery.ecn, payload)
        door.send(payload, delivery.ecn, client)

    def _flow(self, client: Address, is_ipv6: bool) -> Flow:
        if client not in self._flows:
            host = "::1" if is_ipv6 else self._servers[0][0]
            self._flows[client] = Flow(client, EcnSocket((host, 0)))
        return self._flows[client]

    def _start_the_clock(self) -> None:
        if self._started_at is None:
            self._started_at = time.time()
            if self._scenario.rebinding:
                self._next_rebinding = self._started_at + self._scenario.rebinding.first

    def _rebind_if_due(self, now: float) -> None:
        if self._next_rebinding is None or now < self._next_rebinding or not self._scenario.rebinding:
            return
        self._next_rebinding += self._scenario.rebinding.period
        self.rebindings += 1
        for flow in self._flows.values():
            host = self._new_host() if self._scenario.rebinding.change_address else flow.binding.address[0]
            # Bound before the old one closes, so that the port differs.
            successor = EcnSocket((host, 0))
            flow.binding.close()
            flow.binding = successor

    def _new_host(self) -> str:
        third, fourth = (self._address_generator.randrange(1, 255) for _ in range(2))
        return f"127.0.{third}.{fourth}"
