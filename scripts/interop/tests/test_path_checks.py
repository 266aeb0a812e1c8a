"""The checks of changes that the client makes by itself."""

from __future__ import annotations

import unittest

from capture.frames import Frame
from capture.trace import Packet
from cases import path_checks
from tests.evidence_case import EvidenceCase
from tests.packets import CHALLENGE, HANDSHAKE, NEW_CLIENT, PREFERRED, RESPONSE, one_rtt

BEFORE = [*HANDSHAKE, one_rtt(from_server=True)]
DATA = Frame("STREAM")


def moved(*frames: Frame, from_server: bool = False, size: int = 100, destination: bytes = b"e") -> Packet:
    return one_rtt(*frames, client=NEW_CLIENT, from_server=from_server, size=size, destination=destination)


def preferred(*frames: Frame, from_server: bool = False, destination: bytes = b"e") -> Packet:
    return one_rtt(*frames, server=PREFERRED, from_server=from_server, destination=destination)


class Validation(EvidenceCase):
    def test_a_server_may_acknowledge_before_it_challenges(self) -> None:
        challenges = [moved(Frame("ACK"), from_server=True), moved(CHALLENGE, from_server=True)]
        trace = [*BEFORE, moved(DATA), *challenges, moved(RESPONSE)]
        path_checks.check_address_change(self.evidence(trace))
        self.refuses(path_checks.check_rebinding, "has no PATH_CHALLENGE", trace)

    def test_a_server_that_sends_too_much_to_an_unproven_address(self) -> None:
        flood = moved(CHALLENGE, from_server=True, size=301)
        self.refuses(path_checks.check_validation, "301 bytes", [*BEFORE, moved(DATA), flood])

    def test_a_server_that_does_not_ask(self) -> None:
        trace = [*BEFORE, moved(DATA), moved(DATA, from_server=True)]
        self.refuses(path_checks.check_validation, "no PATH_CHALLENGE", trace)
        self.refuses(path_checks.check_validation, "single path", BEFORE)

    def test_a_client_that_does_not_answer(self) -> None:
        trace = [*BEFORE, moved(DATA), moved(CHALLENGE, from_server=True)]
        self.refuses(path_checks.check_validation, "answered no", trace)

    def test_a_client_that_keeps_its_connection_id(self) -> None:
        trace = [*BEFORE, moved(DATA, destination=b"d"), moved(CHALLENGE, from_server=True), moved(RESPONSE)]
        path_checks.check_validation(self.evidence(trace))
        self.refuses(path_checks.check_address_change, "reuses the connection ID", trace)


class PreferredAddress(EvidenceCase):
    def test_a_client_that_moves_there(self) -> None:
        probes = [preferred(CHALLENGE), preferred(RESPONSE, from_server=True)]
        last = preferred(DATA, from_server=True)
        check = path_checks.check_preferred_address
        check(self.evidence([*BEFORE, *probes, preferred(DATA), last]))
        self.refuses(check, "nothing from its preferred", [*BEFORE, *probes, one_rtt(from_server=True)])

    def test_a_client_that_sends_data_first(self) -> None:
        trace = [*BEFORE, preferred(DATA), preferred(CHALLENGE), preferred(RESPONSE, from_server=True)]
        self.refuses(path_checks.check_preferred_address, "unvalidated", trace)

    def test_a_client_that_stays(self) -> None:
        self.refuses(path_checks.check_preferred_address, "on one path", BEFORE)

    def test_a_client_that_keeps_its_connection_id(self) -> None:
        trace = [*BEFORE, preferred(CHALLENGE, destination=b"d"), preferred(RESPONSE, from_server=True)]
        self.refuses(path_checks.check_preferred_address, "reuses the connection ID", trace)


if __name__ == "__main__":
    unittest.main()
