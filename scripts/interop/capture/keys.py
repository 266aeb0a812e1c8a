"""Packet protection (RFC 9001 section 5, RFC 9369 section 3.3), for reading only."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from capture.headers import VERSION_2, Kind

SALT_1 = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
SALT_2 = bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9")
AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305 = 0x1301, 0x1302, 0x1303
SAMPLE_LENGTH = 16
LARGEST_NUMBER_LENGTH = 4


@dataclass(frozen=True)
class Suite:
    hash: str
    key_length: int
    aead: type[AESGCM] | type[ChaCha20Poly1305]


SUITES = {
    AES_128_GCM: Suite("sha256", 16, AESGCM),
    AES_256_GCM: Suite("sha384", 32, AESGCM),
    CHACHA20_POLY1305: Suite("sha256", 32, ChaCha20Poly1305),
}


def expand_label(hash_name: str, secret: bytes, label: str, length: int) -> bytes:
    """HKDF-Expand-Label of RFC 8446 section 7.1, with an empty context."""
    full = b"tls13 " + label.encode()
    info = struct.pack(">HB", length, len(full)) + full + b"\x00"
    output, block = b"", b""
    for counter in range(1, 256):
        if len(output) >= length:
            break
        block = hmac.digest(secret, block + info + bytes([counter]), hash_name)
        output += block
    return output[:length]


def label(version: int, name: str) -> str:
    return f"{'quicv2' if version == VERSION_2 else 'quic'} {name}"


def initial_secret(destination: bytes, version: int, *, from_server: bool) -> bytes:
    salt = SALT_2 if version == VERSION_2 else SALT_1
    common = hmac.digest(salt, destination, "sha256")
    return expand_label("sha256", common, "server in" if from_server else "client in", 32)


def next_secret(secret: bytes, version: int) -> bytes:
    name = "sha384" if len(secret) == hashlib.sha384().digest_size else "sha256"
    return expand_label(name, secret, label(version, "ku"), len(secret))


@dataclass(frozen=True, slots=True)
class Opened:
    number: int
    first_byte: int
    payload: bytes
    # The length of payload and tag on the wire.
    protected_length: int


class PacketKeys:
    """The keys of one direction, one packet number space, and one key phase."""

    def __init__(self, secret: bytes, suite_id: int, version: int) -> None:
        suite = SUITES[suite_id]
        key = expand_label(suite.hash, secret, label(version, "key"), suite.key_length)
        self.secret = secret
        self._aead = suite.aead(key)
        self._iv = int.from_bytes(expand_label(suite.hash, secret, label(version, "iv"), 12), "big")
        self._hp = expand_label(suite.hash, secret, label(version, "hp"), suite.key_length)
        self._is_chacha = suite_id == CHACHA20_POLY1305
        self._ecb = None if self._is_chacha else Cipher(algorithms.AES(self._hp), modes.ECB()).encryptor()

    def share_header_protection(self, other: PacketKeys) -> None:
        """RFC 9001 section 6: a key update leaves the header protection key as it is."""
        self._hp, self._ecb = other._hp, other._ecb

    def unmask(self, kind: Kind, packet: bytes, number_offset: int) -> tuple[int, bytes] | None:
        """The first byte and the packet number's bytes without header protection."""
        sample_start = number_offset + LARGEST_NUMBER_LENGTH
        sample = packet[sample_start : sample_start + SAMPLE_LENGTH]
        if len(sample) < SAMPLE_LENGTH:
            return None
        mask = self._mask(sample)
        first = packet[0] ^ (mask[0] & (0x1F if kind is Kind.ONE_RTT else 0x0F))
        length = (first & 0x03) + 1
        masked = packet[number_offset : number_offset + length]
        return first, bytes(byte ^ mask[1 + index] for index, byte in enumerate(masked))

    def open(
        self, packet: bytes, number_offset: int, first: int, encoded: bytes, largest: int
    ) -> Opened | None:
        number = decode_number(encoded, largest)
        body = number_offset + len(encoded)
        associated = bytes([first]) + packet[1:number_offset] + encoded
        nonce = (self._iv ^ number).to_bytes(12, "big")
        try:
            payload = self._aead.decrypt(nonce, packet[body:], associated)
        except (InvalidTag, ValueError):
            return None
        return Opened(number, first, payload, len(packet) - body)

    def _mask(self, sample: bytes) -> bytes:
        if self._ecb is not None:
            return self._ecb.update(sample)
        return Cipher(algorithms.ChaCha20(self._hp, sample), None).encryptor().update(bytes(5))


def decode_number(encoded: bytes, largest: int) -> int:
    """RFC 9000 appendix A.3: the number closest to the one expected."""
    window = 1 << (8 * len(encoded))
    expected = largest + 1
    candidate = (expected & ~(window - 1)) | int.from_bytes(encoded, "big")
    if candidate <= expected - window // 2 and candidate + window < 1 << 62:
        return candidate + window
    if candidate > expected + window // 2 and candidate >= window:
        return candidate - window
    return candidate
