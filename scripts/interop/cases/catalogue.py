"""All cases by name."""

from __future__ import annotations

import os
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cases import checks, ecn_checks, http3_checks, measurements, path_checks
from cases.evidence import Evidence
from link.scenario import Blackhole, Impairment, Rebinding, Scenario

KB = 1 << 10
MB = 1 << 20
GB = 1 << 30
# Raises CheckFailed; a text is a measured value worth showing.
Check = Callable[[Evidence], str | None]

LONG_RTT = Scenario(delay=0.75)
HEAVY, LIGHT = Impairment(percent=30), Impairment(percent=2)
CONNECTIONS = 50


@dataclass(frozen=True)
class Case:
    name: str
    check: Check
    sizes: tuple[int, ...]
    # What the endpoints get as TESTCASE; the case's own name if empty.
    client_case: str = ""
    server_case: str = ""
    scenario: Scenario = field(default_factory=Scenario)
    # By ALPN; empty where any will do.
    protocol: str = ""
    # Of the client, in seconds.
    timeout: float = 60
    file_name_length: int = 16
    chain_length: int = 1
    is_ipv6: bool = False
    has_preferred_address: bool = False
    # Not for a link of 10 Mbit/s, nor for a capture: the files alone are evidence.
    has_link: bool = True
    # The client posts the files to `/echo` instead of getting them.
    is_upload: bool = False
    # A rate only means something on a machine that does nothing else.
    runs_alone: bool = False
    # Where chance can spoil a run: what else the machine does, or a connection that loses all it sends until
    # it gives up. The table shows when it took more than one.
    attempts: int = 1
    # Competes with a TCP connection, which takes a network of its own, and so root.
    has_cross_traffic: bool = False

    def write_files(self, folder: Path) -> tuple[str, ...]:
        folder.mkdir(parents=True, exist_ok=True)
        names = tuple(random_name(self.file_name_length) for _ in self.sizes)
        for name, size in zip(names, self.sizes, strict=True):
            write_random(folder / name, size)
        return names


def write_random(file: Path, size: int) -> None:
    with file.open("wb") as stream:
        for position in range(0, size, MB):
            stream.write(os.urandom(min(MB, size - position)))


def random_name(length: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(length))


def transfer_case(name: str, *sizes: int, check: Check | None = None, **settings: Any) -> Case:
    """A case in which the endpoints just transfer files; the link or the checks make the difference."""
    return Case(
        name,
        check or checks.check_transfer,
        sizes,
        **{"client_case": "transfer", "server_case": "transfer", **settings},
    )


def multiple_connections(name: str, scenario: Scenario) -> Case:
    return Case(
        name,
        partial(checks.check_transfer, handshakes=CONNECTIONS),
        (KB,) * CONNECTIONS,
        client_case="multiconnect",
        server_case="multiconnect",
        scenario=scenario,
        timeout=300,
        attempts=2,
    )


def rebinding_case(name: str, check: Check, *, change_address: bool) -> Case:
    rebinding = Rebinding(first=1, period=5, change_address=change_address)
    return transfer_case(name, 10 * MB, check=check, scenario=Scenario(rebinding=rebinding))


def handshake_cases() -> list[Case]:
    early_files = (32,) * checks.EARLY_DATA_FILES
    return [
        Case("handshake", checks.check_handshake, (KB,)),
        Case("longrtt", checks.check_long_rtt, (KB,), "handshake", "handshake", LONG_RTT),
        Case("chacha20", checks.check_chacha20, (3 * MB,)),
        Case("retry", checks.check_retry, (10 * KB,)),
        Case("resumption", checks.check_resumption, (5 * KB, 10 * KB)),
        Case("zerortt", checks.check_zero_rtt, early_files, file_name_length=checks.EARLY_DATA_NAME_LENGTH),
        Case("v2", checks.check_version_2, (KB,)),
        Case("keyupdate", checks.check_key_update, (3 * MB,), server_case="transfer"),
        Case("ecn", ecn_checks.check_ecn, (100 * KB,)),
        transfer_case(
            "amplificationlimit",
            5 * KB,
            check=checks.check_amplification,
            chain_length=9,
            # The ClientHello passes, what follows does not: the server must not fill the silence.
            scenario=Scenario(drops_to_server=(2, 3, 4, 5, 6, 7)),
        ),
        multiple_connections("handshakeloss", Scenario(loss=HEAVY)),
        multiple_connections("handshakecorruption", Scenario(corruption=HEAVY)),
    ]


def transfer_cases() -> list[Case]:
    return [
        transfer_case("transfer", 2 * MB, 3 * MB, 5 * MB),
        transfer_case("multiplexing", *(32,) * 1999, check=checks.check_multiplexing),
        transfer_case("blackhole", 10 * MB, scenario=Scenario(blackhole=Blackhole(on=5, off=2))),
        transfer_case("transferloss", 2 * MB, scenario=Scenario(loss=LIGHT)),
        transfer_case("transfercorruption", 2 * MB, scenario=Scenario(corruption=LIGHT)),
        transfer_case("ipv6", 5 * KB, 10 * KB, check=checks.check_ipv6, is_ipv6=True),
    ]


def path_cases() -> list[Case]:
    return [
        rebinding_case("rebind-port", path_checks.check_rebinding, change_address=False),
        rebinding_case("rebind-addr", path_checks.check_address_rebinding, change_address=True),
        transfer_case(
            "connectionmigration",
            2 * MB,
            check=path_checks.check_migration,
            server_case="connectionmigration",
            has_preferred_address=True,
        ),
    ]


def migration_cases() -> list[Case]:
    """What the client does; the link has no part in it. The criteria are those of RFC 9000 alone."""
    return [
        Case("versionnegotiation", checks.check_version_negotiation, (KB,), server_case="transfer"),
        Case("addresschange", path_checks.check_address_change, (3 * MB,), server_case="transfer"),
        Case("natrebinding", path_checks.check_validation, (3 * MB,), server_case="transfer"),
        transfer_case(
            "preferredaddress",
            2 * MB,
            check=path_checks.check_preferred_address,
            server_case="connectionmigration",
            has_preferred_address=True,
        ),
    ]


def http3_cases() -> list[Case]:
    files: dict[str, Any] = {"protocol": "h3", "client_case": "http3-files", "server_case": "http3-files"}
    check, sizes = http3_checks.check_http3, (0, 1, KB, 5 * MB)
    return [
        Case("http3", check, (5 * KB, 10 * KB, 500 * KB), protocol="h3"),
        Case("http3-sizes", check, sizes, **files),
        Case(
            "http3-post",
            http3_checks.check_uploads,
            sizes,
            protocol="h3",
            client_case="http3-post",
            server_case="http3-files",
            is_upload=True,
        ),
        Case(
            "http3-large",
            checks.check_files,
            (GB,),
            **files,
            timeout=1200,
            has_link=False,
            runs_alone=True,
        ),
    ]


def measurement_cases() -> list[Case]:
    return [
        transfer_case("goodput", 10 * MB, check=measurements.check_goodput, runs_alone=True, attempts=3),
        transfer_case(
            "crosstraffic",
            25 * MB,
            check=measurements.check_cross_traffic,
            timeout=180,
            runs_alone=True,
            attempts=3,
            has_cross_traffic=True,
        ),
    ]


CASES = {
    case.name: case
    for case in [
        *handshake_cases(),
        *transfer_cases(),
        *path_cases(),
        *migration_cases(),
        *http3_cases(),
        *measurement_cases(),
    ]
}
