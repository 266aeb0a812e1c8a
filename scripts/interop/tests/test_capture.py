"""The capture reader against the RFCs' own examples. Run with: python -m unittest discover -s tests -t ."""

from __future__ import annotations

import unittest

from capture.headers import VERSION_1, VERSION_2
from capture.keys import decode_number, expand_label, initial_secret, label

DESTINATION = bytes.fromhex("8394c8f03e515708")


class InitialKeys(unittest.TestCase):
    def test_version_1(self) -> None:
        """RFC 9001 appendix A.1."""
        client = initial_secret(DESTINATION, VERSION_1, from_server=False)
        self.assertEqual(client.hex(), "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea")
        key = expand_label("sha256", client, label(VERSION_1, "key"), 16)
        self.assertEqual(key.hex(), "1f369613dd76d5467730efcbe3b1a22d")

    def test_version_2(self) -> None:
        """RFC 9369 appendix A.1."""
        server = initial_secret(DESTINATION, VERSION_2, from_server=True)
        key = expand_label("sha256", server, label(VERSION_2, "key"), 16)
        self.assertEqual(key.hex(), "82db637861d55e1d011f19ea71d5d2a7")


class PacketNumbers(unittest.TestCase):
    def test_example(self) -> None:
        """RFC 9000 appendix A.3."""
        self.assertEqual(decode_number(bytes.fromhex("9b32"), 0xA82F30EA), 0xA82F9B32)


if __name__ == "__main__":
    unittest.main()
