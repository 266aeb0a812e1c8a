"""The server that the browser meets: `mhq serve`, or nginx to see whether the rest works."""

from __future__ import annotations

from pathlib import Path

from endpoints.mhq_server import serve_arguments

HOST = "127.0.0.1"

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{ text/html html; text/css css; text/javascript js; image/svg+xml svg; application/json json; }}
    ssl_certificate {certificates}/cert.pem;
    ssl_certificate_key {certificates}/priv.key;
    ssl_protocols TLSv1.3;
    server {{
        listen {host}:{port} quic reuseport;
        listen {host}:{port} ssl;
        http3 on;
        add_header Alt-Svc 'h3=":{port}"; ma=60';
        root {www};
    }}
}}
"""


def mhq_command(binary: Path, port: int, folder: Path) -> list[str]:
    return [str(binary), *serve_arguments((HOST, port), folder / "www", folder / "certs")]


def nginx_command(binary: Path, port: int, folder: Path) -> list[str]:
    own = folder / "nginx"
    own.mkdir()
    file = own / "nginx.conf"
    file.write_text(
        NGINX.format(folder=own, certificates=folder / "certs", host=HOST, port=port, www=folder / "www")
    )
    return [str(binary), "-p", str(own), "-e", "stderr", "-c", str(file)]
