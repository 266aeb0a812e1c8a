"""What the client and the server on aioquic have in common."""

from __future__ import annotations

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.logger import QuicFileLogger
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite

from endpoints.contract import Contract

# Small enough that a file of a megabyte needs more credit several times.
INITIAL_STREAM_WINDOW = 128 * 1024
INITIAL_CONNECTION_WINDOW = 256 * 1024


def configuration(contract: Contract, *, is_client: bool) -> QuicConfiguration:
    settings = QuicConfiguration(
        is_client=is_client,
        alpn_protocols=[contract.protocol],
        max_data=INITIAL_CONNECTION_WINDOW,
        max_stream_data=INITIAL_STREAM_WINDOW,
        supported_versions=[QuicProtocolVersion.VERSION_1],
    )
    if contract.test_case == "chacha20":
        settings.cipher_suites = [CipherSuite.CHACHA20_POLY1305_SHA256]
    if contract.test_case == "v2":
        # A client prefers the first; a server follows the client's order.
        settings.supported_versions = [QuicProtocolVersion.VERSION_2, QuicProtocolVersion.VERSION_1]
    if contract.key_log:
        settings.secrets_log_file = contract.key_log.open("a")
    if contract.qlog_folder:
        contract.qlog_folder.mkdir(parents=True, exist_ok=True)
        settings.quic_logger = QuicFileLogger(str(contract.qlog_folder))
    return settings
