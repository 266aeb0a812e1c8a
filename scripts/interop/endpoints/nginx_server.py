"""nginx as a server that follows the endpoint contract: writes its configuration, then becomes nginx."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from endpoints import contract as contracts
from endpoints.contract import EXIT_UNSUPPORTED, Contract

# Cases that nginx can't pass are served all the same: the checks show what is missing.
KNOWN = frozenset(
    (
        "handshake transfer chacha20 retry resumption zerortt multiconnect ecn v2 connectionmigration http3"
        " http3-files"
    ).split()
)

TEMPLATE = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    # All files of a case go over one connection.
    keepalive_requests 10000;
    ssl_certificate {certificates}/cert.pem;
    ssl_certificate_key {certificates}/priv.key;
    ssl_protocols TLSv1.3;
    # A rebinding uses up a connection ID of the client.
    quic_active_connection_id_limit 8;
    {extra}
    server {{
        listen {address} quic reuseport;
        server_name localhost;
        http3 on;
        http3_hq on;
        root {www};
    }}
}}
"""

EXTRA = {
    "chacha20": "ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256;",
    "retry": "quic_retry on;",
    "zerortt": "ssl_early_data on;",
}


def write_configuration(contract: Contract, folder: Path) -> Path:
    host, port = contract.listen
    text = TEMPLATE.format(
        folder=folder,
        certificates=contract.certificates,
        www=contract.www,
        address=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        extra=EXTRA.get(contract.test_case, ""),
    )
    file = folder / "nginx.conf"
    file.write_text(text)
    return file


def main() -> int:
    contract = contracts.from_environment()
    if contract.test_case not in KNOWN:
        return EXIT_UNSUPPORTED
    folder = Path(tempfile.mkdtemp(prefix="nginx-", dir=os.environ.get("SCRATCH")))
    nginx = os.environ["NGINX"]
    configuration = write_configuration(contract, folder)
    sys.stdout.flush()
    os.execv(nginx, [nginx, "-p", str(folder), "-e", "stderr", "-c", str(configuration)])


if __name__ == "__main__":
    sys.exit(main())
