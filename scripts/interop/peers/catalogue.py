"""All peers by name."""

from __future__ import annotations

import sys
from pathlib import Path

from peers.peer import Peer, Program

INSTALL = "scripts/install-peers.sh"
NO_CHALLENGE = "often leaves a new path unvalidated, and so held down by the anti-amplification limit"
NO_ECN = "marks no packets and counts no marks"


def endpoint(module: str, needs: Path, unsupported: dict[str, str], **environment: str) -> Program:
    """One of the programs in `endpoints`."""
    return Program((sys.executable, "-m", f"endpoints.{module}"), needs, environment, unsupported)


def mhq(binary: Path) -> Peer:
    def role(name: str) -> Program:
        return Program((str(binary), "interop", name), binary)

    return Peer("mhq", role("client"), role("server"), "swift build -c release --product mhq")


def aioquic() -> Peer:
    python = Path(sys.executable)
    return Peer(
        "aioquic",
        endpoint("aioquic_client", python, {"ecn": NO_ECN}),
        endpoint("aioquic_server", python, {"ecn": NO_ECN}),
        f"{INSTALL} aioquic",
    )


def nginx(prefix: Path) -> Peer:
    binary = prefix / "bin" / "nginx"
    unsupported = {
        "ecn": NO_ECN,
        "v2": "speaks version 1 only",
        "connectionmigration": "has no preferred address",
        "handshakecorruption": "answers a damaged token before it checks that the packet is genuine",
        "rebind-port": NO_CHALLENGE,
        "rebind-addr": NO_CHALLENGE,
    }
    server = endpoint("nginx_server", binary, unsupported, NGINX=str(binary))
    return Peer("nginx", None, server, f"{INSTALL} nginx")


def ngtcp2(prefix: Path) -> Peer:
    client, server = prefix / "bin" / "gtlsclient", prefix / "bin" / "gtlsserver"
    unsupported = {"connectionmigration": "can only advertise the address it listens on"}
    return Peer(
        "ngtcp2",
        endpoint("ngtcp2_client", client, {}, NGTCP2_CLIENT=str(client)),
        endpoint("ngtcp2_server", server, unsupported, NGTCP2_SERVER=str(server)),
        f"{INSTALL} ngtcp2",
        protocols=frozenset({"h3"}),
    )


def peers(binary: Path, prefix: Path) -> dict[str, Peer]:
    return {peer.name: peer for peer in (mhq(binary), aioquic(), nginx(prefix), ngtcp2(prefix))}
