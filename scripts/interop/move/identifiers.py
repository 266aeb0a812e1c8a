"""Whether a connection id was used on two paths (RFC 9000 section 9.5), by what the wire shows."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

from capture.pcap import read
from move.network import PLACES
from move.server import MoveFailed

# Of all connection ids that Godwit makes.
ID_LENGTH = 13
FIELDS = ["ip.src", "ip.dst", "quic.header_form", "quic.dcid"]


def check(capture: Path, key_log: Path) -> dict[str, int]:
    """How many ids each way of looking has found. Of tshark -1 where it is not installed."""
    plain = by_bytes(capture)
    judge(plain, "the capture")
    if shutil.which("tshark") is None:
        return {"ids": len(plain), "tshark_ids": -1}
    shown = by_tshark(capture, key_log)
    judge(shown, "tshark")
    # It misses some: those that are issued behind a frame that it does not know.
    if strange := set(shown) - set(plain):
        raise MoveFailed(f"tshark shows {len(strange)} connection ids that are none")
    return {"ids": len(plain), "tshark_ids": len(shown)}


def judge(places: dict[str, set[str]], witness: str) -> None:
    twice = [identifier for identifier, addresses in places.items() if len(addresses) > 1]
    if twice:
        raise MoveFailed(f"{witness} shows {len(twice)} connection ids on two paths, such as {twice[0]}")
    seen = set().union(*places.values()) if places else set()
    if seen != set(PLACES):
        raise MoveFailed(f"{witness} shows the server at {sorted(seen)} only")


def by_bytes(capture: Path) -> dict[str, set[str]]:
    """Of packets with a short header: the server's addresses by connection id."""
    places: dict[str, set[str]] = defaultdict(set)
    for datagram in read(capture):
        place = {datagram.source[0], datagram.destination[0]} & set(PLACES)
        if place and len(datagram.payload) > ID_LENGTH and datagram.payload[0] & 0x80 == 0:
            places[datagram.payload[1 : 1 + ID_LENGTH].hex()] |= place
    return places


def by_tshark(capture: Path, key_log: Path) -> dict[str, set[str]]:
    command = ["tshark", "-r", str(capture), "-o", f"tls.keylog_file:{key_log}", "-d", "udp.port==4433,quic"]
    command += ["-Y", "quic", "-T", "fields", *[word for field in FIELDS for word in ("-e", field)]]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise MoveFailed(f"tshark: {result.stderr.strip().splitlines()[-1:]}")
    places: dict[str, set[str]] = defaultdict(set)
    for line in result.stdout.splitlines():
        source, destination, forms, identifiers = (line.split("\t") + ["", "", "", ""])[:4]
        # Handshakes are over before the first move.
        if set(forms.split(",")) & {"1", "True"}:
            continue
        for identifier in filter(None, identifiers.split(",")):
            places[identifier] |= {source, destination} & set(PLACES)
    return places
