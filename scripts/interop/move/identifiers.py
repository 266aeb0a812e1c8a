"""Whether a connection id was used on two paths (RFC 9000 section 9.5), by what the wire shows."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from capture.pcap import read
from move.network import PLACES, PORT, SPOOFED
from move.server import MoveFailed

# Of all connection ids that Godwit makes.
ID_LENGTH = 13
BOTH = ("client", "server")
EVERYWHERE = {*PLACES, SPOOFED}
FIELDS = ["ip.src", "ip.dst", "quic.header_form", "quic.dcid"]


def check(
    capture: Path, key_log: Path, places: Collection[str], senders: Collection[str] = BOTH
) -> dict[str, int]:
    """How many ids each way of looking has found. Of tshark -1 where it is not installed.

    Who is not among the senders keeps its ids, as the thesis's program does (section 9.1.5).
    """
    plain = by_bytes(capture, senders)
    judge(plain, "the capture")
    seen = set().union(*plain.values()) if plain else set()
    if not seen >= set(places):
        raise MoveFailed(f"the capture shows the server at {sorted(seen)} only")
    if shutil.which("tshark") is None:
        return {"ids": len(plain), "tshark_ids": -1}
    shown = by_tshark(capture, key_log, senders)
    judge(shown, "tshark")
    # It misses some: those that are issued behind a frame that it does not know.
    if strange := set(shown) - set(plain):
        raise MoveFailed(f"tshark shows {len(strange)} connection ids that are none")
    if len(shown) < len(senders):
        raise MoveFailed(f"tshark shows {len(shown)} connection ids only")
    return {"ids": len(plain), "tshark_ids": len(shown)}


def judge(found: dict[str, set[str]], witness: str) -> None:
    twice = [identifier for identifier, addresses in found.items() if len(addresses) > 1]
    if twice:
        raise MoveFailed(f"{witness} shows {len(twice)} connection ids on two paths, such as {twice[0]}")


def place_of(source: str, destination: str, senders: Collection[str]) -> set[str]:
    """Where the server is that a packet comes from or goes to; nowhere if it is not one to look at."""
    if source in EVERYWHERE:
        return {source} if "server" in senders else set()
    return {destination} & EVERYWHERE if "client" in senders else set()


def by_bytes(capture: Path, senders: Collection[str]) -> dict[str, set[str]]:
    """Of packets with a short header: the server's addresses by connection id."""
    places: dict[str, set[str]] = defaultdict(set)
    for datagram in read(capture):
        place = place_of(datagram.source[0], datagram.destination[0], senders)
        if PORT not in (datagram.source[1], datagram.destination[1]):
            continue
        if place and len(datagram.payload) > ID_LENGTH and datagram.payload[0] & 0x80 == 0:
            places[datagram.payload[1 : 1 + ID_LENGTH].hex()] |= place
    return places


def by_tshark(capture: Path, key_log: Path, senders: Collection[str]) -> dict[str, set[str]]:
    command = ["tshark", "-r", str(capture), "-o", f"tls.keylog_file:{key_log}", "-d", "udp.port==4433,quic"]
    command += ["-Y", "quic", "-T", "fields", *[word for field in FIELDS for word in ("-e", field)]]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise MoveFailed(f"tshark: {result.stderr.strip().splitlines()[-1:]}")
    places: dict[str, set[str]] = defaultdict(set)
    for line in result.stdout.splitlines():
        source, destination, forms, identifiers = (line.split("\t") + ["", "", "", ""])[:4]
        place = place_of(source, destination, senders)
        # Handshakes are over before the first move.
        if not place or set(forms.split(",")) & {"1", "True"}:
            continue
        for identifier in filter(None, identifiers.split(",")):
            places[identifier] |= place
    return places
