"""All peers by name."""

from __future__ import annotations

import dataclasses
import sys
from functools import partial
from pathlib import Path

from cases.catalogue import CASES
from peers.mhq import lacks
from peers.peer import Peer, Program

INSTALL = "scripts/install-peers.sh"
NO_CHALLENGE = "often leaves a new path unvalidated, and so held down by the anti-amplification limit"
# What a client has to do by itself, at its own address.
OWN_CHANGES = frozenset({"versionnegotiation", "addresschange", "natrebinding"})
CURL_DOES = frozenset(
    (
        "handshake longrtt chacha20 retry amplificationlimit transfer blackhole transferloss"
        " transfercorruption ipv6 rebind-port rebind-addr http3 http3-sizes http3-post http3-large"
    ).split()
)
NO_ECN = "marks no packets and counts no marks"


def endpoint(module: str, needs: Path, unsupported: dict[str, str], **environment: str) -> Program:
    """One of the programs in `endpoints`."""
    return Program((sys.executable, "-m", f"endpoints.{module}"), needs, environment, unsupported)


def mhq(binary: Path) -> Peer:
    def role(name: str) -> Program:
        program = endpoint(f"mhq_{name}", binary, {}, MHQ=str(binary))
        return dataclasses.replace(program, lacks=partial(lacks, binary, name))

    return Peer("mhq", role("client"), role("server"), "swift build -c release --product mhq")


def aioquic() -> Peer:
    python = Path(sys.executable)
    client = endpoint("aioquic_client", python, {"ecn": NO_ECN})
    return Peer(
        "aioquic",
        dataclasses.replace(client, does=frozenset(CASES) - OWN_CHANGES),
        endpoint("aioquic_server", python, {"ecn": NO_ECN}),
        f"{INSTALL} aioquic",
    )


def nginx(prefix: Path) -> Peer:
    binary = prefix / "bin" / "nginx"
    unsupported = {
        "ecn": NO_ECN,
        "v2": "speaks version 1 only",
        "connectionmigration": "has no preferred address",
        "preferredaddress": "has no preferred address",
        "http3-post": "serves files only",
        "handshakecorruption": "answers a damaged token before it checks that the packet is genuine",
        "addresschange": "drops a PATH_RESPONSE for which its congestion window has no room",
        "natrebinding": "stays at the anti-amplification limit after its challenges were answered",
        "rebind-port": NO_CHALLENGE,
        "rebind-addr": NO_CHALLENGE,
    }
    server = endpoint("nginx_server", binary, unsupported, NGINX=str(binary))
    return Peer("nginx", None, server, f"{INSTALL} nginx")


def ngtcp2(prefix: Path) -> Peer:
    client, server = prefix / "bin" / "gtlsclient", prefix / "bin" / "gtlsserver"
    ngtcp2_server = endpoint(
        "ngtcp2_server",
        server,
        {
            "http3-post": "answers every request with a file, and echoes nothing",
            "connectionmigration": "answers probes of its preferred address without probing back",
        },
        NGTCP2_SERVER=str(server),
    )
    return Peer(
        "ngtcp2",
        endpoint("ngtcp2_client", client, {}, NGTCP2_CLIENT=str(client)),
        dataclasses.replace(ngtcp2_server, can_advertise_any_address=False),
        f"{INSTALL} ngtcp2",
        protocols=frozenset({"h3"}),
    )


def curl(prefix: Path) -> Peer:
    binary = prefix / "bin" / "curl"
    client = endpoint("curl_client", binary, {}, CURL=str(binary))
    client = dataclasses.replace(client, does=CURL_DOES)
    return Peer("curl", client, None, f"{INSTALL} curl", protocols=frozenset({"h3"}))


def peers(binary: Path, prefix: Path) -> dict[str, Peer]:
    known = (mhq(binary), aioquic(), nginx(prefix), ngtcp2(prefix), curl(prefix))
    return {peer.name: peer for peer in known}
