"""Makes the chain that a server presents: a root, intermediates, and a leaf for the names the cases use."""

from __future__ import annotations

import datetime
import ipaddress
import secrets
import string
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES = ("server", "server4", "server6", "server46", "localhost")
ADDRESSES = ("127.0.0.1", "127.0.0.2", "::1", "10.71.1.2")
LIFETIME = datetime.timedelta(days=10)
# A long chain also gets a large leaf: random names, each this long.
FILLER_NAMES = 20
FILLER_LENGTH = 250


@dataclass(frozen=True)
class Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)])


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def builder(subject: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def authority(subject: str, issuer: Authority | None) -> Authority:
    key = new_key()
    issuer_name = issuer.certificate.subject if issuer else name(subject)
    draft = builder(subject, key, issuer_name).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    draft = draft.add_extension(usage, critical=True)
    return Authority(draft.sign((issuer.key if issuer else key), hashes.SHA256()), key)


def leaf(issuer: Authority, filler: list[str]) -> Authority:
    key = new_key()
    alternatives: list[x509.GeneralName] = [x509.DNSName(entry) for entry in (*NAMES, *filler)]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES]
    draft = builder("interop leaf", key, issuer.certificate.subject)
    draft = draft.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    draft = draft.add_extension(usage, critical=False)
    return Authority(draft.sign(issuer.key, hashes.SHA256()), key)


def filler_names(length: int) -> list[str]:
    if length == 1:
        return []
    letters = string.ascii_lowercase + string.digits
    return ["".join(secrets.choice(letters) for _ in range(FILLER_LENGTH)) for _ in range(FILLER_NAMES)]


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def write_chain(folder: Path, length: int = 1) -> None:
    """`cert.pem` (leaf first, `length` certificates), `priv.key` and `ca.pem`."""
    folder.mkdir(parents=True, exist_ok=True)
    root = issuer = authority("interop root", None)
    intermediates: list[Authority] = []
    for number in range(1, length):
        issuer = authority(f"interop intermediate {number}", issuer)
        intermediates.insert(0, issuer)
    end = leaf(issuer, filler_names(length))
    (folder / "ca.pem").write_bytes(pem(root.certificate))
    chain = [end, *intermediates]
    (folder / "cert.pem").write_bytes(b"".join(pem(link.certificate) for link in chain))
    (folder / "priv.key").write_bytes(
        end.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
