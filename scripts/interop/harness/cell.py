"""One cell of the matrix: a client and a server do a case over a network, then the checks judge."""

from __future__ import annotations

import enum
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from capture import pcap
from capture.connections import ConnectionTable, Secrets, read_key_log
from capture.trace import Trace, read_traces
from cases.catalogue import Case
from cases.evidence import CheckFailed, Evidence
from cases.http3_checks import check_application_protocol
from harness.certificates import write_chain
from harness.namespaces import NamespaceNetwork
from harness.network import DirectNetwork, LinkNetwork, Network, NetworkFailed
from harness.options import SUBJECT
from harness.process import Child
from peers.peer import Peer

EXIT_UNSUPPORTED = 127
# After the client's end, for what is still under way.
GRACE = 0.3
RUNNERS_PROTOCOL = "hq-interop"


class Status(enum.Enum):
    PASSED = "passed"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Outcome:
    status: Status
    # Why it failed, or what was measured.
    detail: str = ""
    seconds: float = 0.0
    # How many it took.
    attempts: int = 1


class Failed(Exception):
    """The run itself went wrong, before there was anything to check."""


class Unsupported(Exception):
    """A program exited with the status that stands for a case it doesn't support."""

    def __init__(self, peer: Peer, case: str) -> None:
        super().__init__(f"{peer.name} does not know the case {case}")
        # No excuse for what is being tested, which may learn it.
        self.status = Status.SKIPPED if peer.name == SUBJECT else Status.UNSUPPORTED


@dataclass(frozen=True)
class Cell:
    client: Peer
    server: Peer
    case: Case

    @property
    def name(self) -> str:
        return f"{self.client.name}:{self.server.name} {self.case.name}"

    @property
    def protocol(self) -> str:
        """The runner's, unless the case or a peer knows another one only."""
        common = self.client.protocols & self.server.protocols
        return self.case.protocol or (RUNNERS_PROTOCOL if RUNNERS_PROTOCOL in common else min(common))

    @property
    def has_namespaces(self) -> bool:
        """Whether the network must not change addresses, or has more on it than the two programs."""
        server = self.server.server
        translates = server is None or server.can_advertise_any_address
        return self.case.has_cross_traffic or (self.case.has_preferred_address and not translates)

    def network(self, folder: Path) -> Network:
        if self.has_namespaces:
            return NamespaceNetwork(self.case, folder, sys.executable)
        if not self.case.has_link:
            return DirectNetwork()
        return LinkNetwork(self.case, folder, sys.executable)

    def folder(self, root: Path) -> Path:
        return root / f"{self.client.name}_{self.server.name}" / self.case.name


def run_cell(cell: Cell, root: Path, *, keep: bool = False) -> Outcome:
    """Runs a cell in a folder of its own below `root`, and says how it went."""
    started = time.monotonic()
    folder = cell.folder(root)
    for number in range(1, cell.case.attempts + 1):
        status, detail = attempt(cell, folder)
        if status is not Status.FAILED or number == cell.case.attempts:
            break
        set_aside(folder, number)
    outcome = Outcome(status, detail, time.monotonic() - started, number)
    write_result(folder, cell, outcome)
    if status is not Status.FAILED and not keep:
        remove_bulk(folder)
    return outcome


def attempt(cell: Cell, folder: Path) -> tuple[Status, str]:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        return Status.PASSED, Run(cell, folder).judge()
    except Unsupported as reason:
        return reason.status, str(reason)
    except (Failed, CheckFailed, NetworkFailed) as reason:
        return Status.FAILED, str(reason)


def set_aside(folder: Path, number: int) -> None:
    """Keeps what a failed attempt left, as a fault that shows only now and then is a fault."""
    place = folder.with_name(f"{folder.name}-attempt-{number}")
    shutil.rmtree(place, ignore_errors=True)
    folder.rename(place)


def write_result(folder: Path, cell: Cell, outcome: Outcome) -> None:
    text = f"{cell.name}: {outcome.status.value} in {outcome.seconds:.1f} s, attempt {outcome.attempts}\n"
    (folder / "result.txt").write_text(f"{text}{outcome.detail}\n")


def remove_bulk(folder: Path) -> None:
    """What can be made again; logs and keys stay."""
    for name in ("www", "downloads", "client/qlog", "server/qlog"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for capture in folder.glob("*.pcap"):
        capture.unlink()


class Run:
    def __init__(self, cell: Cell, folder: Path) -> None:
        self._case = cell.case
        self._client, self._server = cell.client, cell.server
        self._programs = {"client": cell.client.client, "server": cell.server.server}
        self._folder = folder
        for name in ("downloads", "client", "server"):
            (folder / name).mkdir(parents=True)
        write_chain(folder / "certs", self._case.chain_length)
        self._file_names = self._case.write_files(folder / "www")
        self._protocol = cell.protocol
        self._network = cell.network(folder)

    def judge(self) -> str:
        try:
            self._network.start()
            self._transfer()
        finally:
            self._network.stop()
        evidence = self._evidence()
        measured = self._case.check(evidence) or ""
        if self._case.has_link:
            check_application_protocol(evidence)
        return measured

    def _transfer(self) -> None:
        with self._start("server", self._server_environment()) as server:
            if not self._network.server_is_ready(server):
                raise self._server_failure(server)
            with self._start("client", self._client_environment()) as client:
                status = client.wait(self._case.timeout)
                if status is None:
                    raise Failed(f"the client did not end within {self._case.timeout:g} s")
            time.sleep(GRACE + self._case.scenario.delay)
        if status == EXIT_UNSUPPORTED:
            raise Unsupported(self._client, self._case.name)
        if status != 0:
            raise Failed(f"the client exited with {status}: {client.last_line()}")

    def _start(self, role: str, environment: dict[str, str]) -> Child:
        program = self._programs[role]
        assert program is not None, f"no {role} in this cell"
        command = self._network.command_for(role, program.command)
        log = self._folder / role / "output.log"
        return Child(command, {**program.environment, **environment}, log)

    def _server_failure(self, server: Child) -> Exception:
        if server.runs():
            return Failed("the server did not answer an unknown version with Version Negotiation")
        status = server.stop()
        if status == EXIT_UNSUPPORTED:
            return Unsupported(self._server, self._case.name)
        return Failed(f"the server exited with {status}: {server.last_line()}")

    def _common_environment(self, role: str) -> dict[str, str]:
        own = self._folder / role
        return {
            "ROLE": role,
            "PROTOCOL": self._protocol,
            "CERTS": str(self._folder / "certs"),
            "WWW": str(self._folder / "www"),
            "DOWNLOADS": str(self._folder / "downloads"),
            "SSLKEYLOGFILE": str(own / "keys.log"),
            "QLOGDIR": str(own / "qlog"),
            "SCRATCH": str(own),
        }

    def _server_environment(self) -> dict[str, str]:
        host, port = self._network.servers[0]
        environment = self._common_environment("server")
        environment |= {"TESTCASE": self._case.server_case or self._case.name, "IP": host, "PORT": str(port)}
        if self._case.has_preferred_address:
            environment |= {
                "PREFERRED_LISTEN": authority(self._network.servers[1]),
                "PREFERRED_ADDRESS": authority(self._network.doors[1]),
            }
        return environment

    def _client_environment(self) -> dict[str, str]:
        base = f"https://{authority(self._network.doors[0])}/"
        environment = self._common_environment("client")
        paths = ("echo",) if self._case.is_upload else self._file_names
        if self._case.is_upload:
            environment["UPLOADS"] = str(self._folder / "www")
        return environment | {
            "TESTCASE": self._case.client_case or self._case.name,
            "REQUESTS": " ".join(base + path for path in paths),
        }

    def _evidence(self) -> Evidence:
        client, server = self._traces() if self._case.has_link else (Trace([]), Trace([]))
        folder = self._folder
        return Evidence(
            folder / "www", folder / "downloads", self._file_names, client, server, self._protocol
        )

    def _traces(self) -> tuple[Trace, Trace]:
        client_side = pcap.read(self._folder / "client.pcap")
        server_side = pcap.read(self._folder / "server.pcap")
        addresses = frozenset([*self._network.servers, *self._network.doors])
        table = ConnectionTable(self._keys())
        return read_traces(client_side, server_side, addresses, table)

    def _keys(self) -> dict[bytes, Secrets]:
        """Both sides have the same secrets, so that it takes only one of them to log."""
        keys: dict[bytes, Secrets] = {}
        for role in ("server", "client"):
            log = self._folder / role / "keys.log"
            if log.exists():
                for random, secrets in read_key_log(log).items():
                    keys.setdefault(random, {}).update(secrets)
        if not keys:
            raise Failed("neither side wrote SSLKEYLOGFILE")
        return keys


def authority(address: pcap.Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
