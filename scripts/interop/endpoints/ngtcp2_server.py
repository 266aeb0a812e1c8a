"""ngtcp2's example server behind the endpoint contract. It speaks HTTP/3 in every case."""

from __future__ import annotations

import os
import sys

from capture.pcap import Address
from endpoints import contract as contracts
from endpoints.contract import EXIT_UNSUPPORTED
from endpoints.ngtcp2_client import CHACHA20, QUIETLY, VERSIONS

KNOWN = frozenset(
    (
        "handshake transfer chacha20 retry resumption zerortt http3 http3-files multiconnect ecn v2"
        " connectionmigration"
    ).split()
)
OPTIONS = {
    "chacha20": [f"--ciphers={CHACHA20}"],
    "retry": ["--validate-addr"],
    "v2": VERSIONS,
}


def preferred_option(address: Address) -> str:
    host, port = address
    if ":" in host:
        return f"--preferred-ipv6-addr=[{host}]:{port}"
    return f"--preferred-ipv4-addr={host}:{port}"


def main() -> int:
    contract = contracts.from_environment()
    if contract.test_case not in KNOWN:
        return EXIT_UNSUPPORTED
    program = os.environ["NGTCP2_SERVER"]
    host, port = contract.listen
    command = [program, *QUIETLY, f"--htdocs={contract.www}"]
    command += OPTIONS.get(contract.test_case, [])
    if contract.test_case == "connectionmigration" and contract.preferred_listen:
        command.append(preferred_option(contract.preferred_listen))
    credentials = [str(contract.certificates / name) for name in ("priv.key", "cert.pem")]
    command += [host, str(port), *credentials]
    os.execv(program, command)


if __name__ == "__main__":
    sys.exit(main())
