"""The link does what a scenario says, and the same again for the same seed."""

from __future__ import annotations

import itertools
import json
import random
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from capture import pcap
from harness.process import HARNESS, Child
from link.faults import Chooser, Corruption, faults_of
from link.pipe import Pipe
from link.scenario import Blackhole, Impairment, Rebinding, Scenario

ECT_0 = 2
FLOW = ("127.0.0.1", 1000)


def survivors(scenario: Scenario, count: int) -> list[int]:
    pipe = Pipe(scenario, to_server=True)
    return [number for number in range(count) if pipe.deliver(b"\x40datagram", FLOW, 0.0)]


class Bottleneck(unittest.TestCase):
    def test_rate_and_delay(self) -> None:
        pipe = Pipe(Scenario(), to_server=True)
        arrivals = [pipe.admit(1248, now=0.0) for _ in range(2)]
        self.assertEqual(arrivals, [0.001 + 0.015, 0.002 + 0.015])

    def test_a_full_queue_drops_the_newest(self) -> None:
        pipe = Pipe(Scenario(queue=25), to_server=True)
        admitted = [pipe.admit(1248, now=0.0) is not None for _ in range(40)]
        # One more is being sent, and one is in the device.
        self.assertEqual(admitted.index(False), 25 + 2)

    def test_too_large_for_the_wire(self) -> None:
        self.assertIsNone(Pipe(Scenario(), to_server=True).admit(1501, now=0.0))


class Faults(unittest.TestCase):
    def test_a_seed_repeats(self) -> None:
        scenario = Scenario(loss=Impairment(percent=30), seed=7)
        self.assertEqual(survivors(scenario, 200), survivors(scenario, 200))
        self.assertNotEqual(survivors(scenario, 200), survivors(Scenario(loss=scenario.loss, seed=8), 200))

    def test_bursts_are_bounded(self) -> None:
        kept = survivors(Scenario(loss=Impairment(percent=90, burst=3)), 1000)
        gaps = [later - earlier - 1 for earlier, later in itertools.pairwise(kept)]
        self.assertEqual(max(gaps), 3)

    def test_corruption_changes_one_byte_near_the_front(self) -> None:
        fault = Corruption(Chooser(Impairment(percent=100, burst=1000), random.Random(1)))
        original = bytes([0x40]) + bytes(range(1, 200))
        for _ in range(100):
            damaged = fault.apply(original, FLOW, 0.0) or b""
            differing = [
                index for index, pair in enumerate(zip(original, damaged, strict=True)) if len(set(pair)) == 2
            ]
            self.assertEqual(len(differing), 1)
            self.assertLess(differing[0], 50)

    def test_blackhole_and_drop_list(self) -> None:
        outage = faults_of(Scenario(blackhole=Blackhole(on=5, off=2)), to_server=False)[0]
        passed = [outage.apply(b"x", FLOW, elapsed) is not None for elapsed in (4.9, 5.0, 6.9, 7.0)]
        self.assertEqual(passed, [True, False, False, True])
        self.assertEqual(survivors(Scenario(drops_to_server=(2, 3)), 5), [0, 3, 4])

    def test_scenarios_survive_json(self) -> None:
        scenario = Scenario(
            loss=Impairment(3), rebinding=Rebinding(1, 5, change_address=True), drops_to_server=(2, 3)
        )
        self.assertEqual(Scenario.from_json(json.loads(json.dumps(scenario.to_json()))), scenario)


class Process(unittest.TestCase):
    """A real link between two sockets of the test."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.server.close)
        self.server.bind(("127.0.0.1", 0))
        self.server.settimeout(5)
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.client.close)
        self.client.settimeout(5)

    def start_link(self, scenario: Scenario) -> tuple[Child, pcap.Address]:
        task = self.folder / "task.json"
        captures = {f"{side}_capture": str(self.folder / f"{side}.pcap") for side in ("client", "server")}
        content = {"scenario": scenario.to_json(), "servers": [self.server.getsockname()], **captures}
        task.write_text(json.dumps(content))
        child = Child([sys.executable, "-m", "link", str(task)], {}, self.folder / "log")
        while not child.log.read_text().endswith("\n"):
            self.assertTrue(child.runs(), child.log.read_text())
        host, port = json.loads(child.log.read_text())["doors"][0]
        return child, (host, port)

    def test_ecn_and_rebinding(self) -> None:
        self.client.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, ECT_0)
        rebinding = Rebinding(first=0.1, period=10, change_address=True)
        link, door = self.start_link(Scenario(rebinding=rebinding))
        with link:
            self.client.sendto(b"before", door)
            _, first = self.server.recvfrom(100)
            second = first
            while second == first:
                self.client.sendto(b"after", door)
                _, second = self.server.recvfrom(100)
            self.server.sendto(b"answer", second)
            self.assertEqual(self.client.recvfrom(100), (b"answer", door))
        self.assertNotEqual(first[0], second[0])
        seen = list(pcap.read(self.folder / "server.pcap"))
        self.assertEqual(
            {entry.ecn for entry in seen if entry.destination == self.server.getsockname()}, {ECT_0}
        )
        answers = [entry for entry in seen if entry.payload == b"answer"]
        self.assertEqual([(entry.destination, entry.ecn) for entry in answers], [(second, 0)])


class CommandLine(unittest.TestCase):
    def test_a_wrong_option_is_told(self) -> None:
        command = [sys.executable, str(HARNESS / "run.py"), "--jobs", "none"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 64)
        self.assertIn("--jobs", result.stderr)


if __name__ == "__main__":
    unittest.main()
