"""The injector against a server that answers its faults, and against one that does not."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness.certificates import write_chain
from harness.network import IPV4, free_port
from harness.probe import wait_until_ready
from harness.process import HARNESS, Child
from injector import errors
from injector.http3 import HTTP3_FAULTS
from injector.transport import TRANSPORT_FAULTS

# aioquic answers it with a general error, as RFC 9000 section 11 allows.
GENERAL = {"retire-prior-to"}


class Catalogue(unittest.TestCase):
    def test_as_many_as_h3spec_has(self) -> None:
        self.assertEqual((len(TRANSPORT_FAULTS), len(HTTP3_FAULTS)), (34, 16))
        names = [fault.name for fault in [*TRANSPORT_FAULTS, *HTTP3_FAULTS]]
        self.assertEqual(len(set(names)), 50)

    def test_a_general_error_counts_only_if_asked_for(self) -> None:
        fault = TRANSPORT_FAULTS[0]
        self.assertTrue(fault.accepts(errors.FLOW_CONTROL_ERROR, generic=False))
        self.assertFalse(fault.accepts(errors.PROTOCOL_VIOLATION, generic=False))
        self.assertTrue(fault.accepts(errors.PROTOCOL_VIOLATION, generic=True))
        self.assertFalse(fault.accepts(errors.STREAM_LIMIT_ERROR, generic=True))
        self.assertFalse(fault.accepts(None, generic=True))


class AgainstAioquic(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        write_chain(self.folder / "certs")
        self.port = free_port(IPV4)
        environment = {
            "TESTCASE": "zerortt",
            "PROTOCOL": "h3",
            "IP": IPV4,
            "PORT": str(self.port),
            "WWW": str(self.folder),
            "CERTS": str(self.folder / "certs"),
        }
        command = [sys.executable, "-m", "endpoints.aioquic_server"]
        server = Child(command, environment, self.folder / "server.log")
        self.addCleanup(server.stop)
        self.assertTrue(wait_until_ready((IPV4, self.port), 10))

    def run_faults(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(HARNESS / "faults.py"), "--against", f"{IPV4}:{self.port}", *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_every_fault_is_seen(self) -> None:
        result = self.run_faults("--json")
        reports = json.loads(result.stdout)
        self.assertEqual(len(reports), 50)
        failed = {report["name"] for report in reports if not report["passed"]}
        self.assertEqual((failed, result.returncode), (GENERAL, 1))
        self.assertEqual(self.run_faults("--generic").returncode, 0)

    def test_a_protocol_that_is_not_spoken(self) -> None:
        """Then no fault reaches anything that could answer it as it should."""
        result = self.run_faults("--protocol", "other", "--only", "new-token", "--json")
        report = json.loads(result.stdout)[0]
        self.assertEqual((report["passed"], report["answer"]), (False, "NO_APPLICATION_PROTOCOL"))


class CommandLine(unittest.TestCase):
    def test_mistakes(self) -> None:
        for arguments, status in (
            ((), 64),
            (("--against", "here"), 64),
            (("--against", "127.0.0.1:9", "--only", "nothing"), 64),
            (("--against", "127.0.0.1:9", "--parts", "nothing"), 64),
            (("--against", f"127.0.0.1:{free_port(IPV4)}", "--patience", "0.2"), 69),
        ):
            command = [sys.executable, str(HARNESS / "faults.py"), *arguments]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, status, arguments)
            self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)


if __name__ == "__main__":
    unittest.main()
