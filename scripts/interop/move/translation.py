"""Network address translation of UDP over IPv4, by how it maps and what it lets in (RFC 4787 sections 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass, field

Place = tuple[bytes, int]

KINDS = ("endpoint-independent", "address-restricted", "port-restricted", "symmetric")
FIRST_PORT = 20000


@dataclass
class Mapping:
    """What one place inside looks like from outside."""

    inside: Place
    outside: Place
    contacted: set[Place] = field(default_factory=set)


class Translator:
    """Packets are places here; the router rewrites them."""

    def __init__(self, kind: str, addresses: list[bytes]) -> None:
        self._kind = kind
        self._addresses = addresses
        self._turn = 0
        self._next_port = FIRST_PORT
        self._mappings: dict[tuple[Place, Place | None], Mapping] = {}
        self._outside: dict[Place, Mapping] = {}
        self.refused = 0

    def leave(self, inside: Place, remote: Place) -> Place:
        """From where a packet seems to come."""
        key = (inside, remote if self._kind == "symmetric" else None)
        mapping = self._mappings.get(key)
        if mapping is None:
            outside = (self._addresses[self._turn], self._next_port)
            self._next_port += 1
            mapping = self._mappings[key] = self._outside[outside] = Mapping(inside, outside)
        mapping.contacted.add(remote)
        return mapping.outside

    def enter(self, remote: Place, outside: Place) -> Place | None:
        """To whom inside a packet goes; None if it is not let in."""
        mapping = self._outside.get(outside)
        if mapping is None or not self._admits(mapping, remote):
            self.refused += 1
            return None
        return mapping.inside

    def _admits(self, mapping: Mapping, remote: Place) -> bool:
        match self._kind:
            case "endpoint-independent":
                return True
            case "address-restricted":
                return remote[0] in {place[0] for place in mapping.contacted}
            case _:
                return remote in mapping.contacted

    def forget(self) -> None:
        """All that was is unknown from now on, and what leaves seems to come from the next address."""
        self._mappings.clear()
        self._outside.clear()
        self._turn = (self._turn + 1) % len(self._addresses)
