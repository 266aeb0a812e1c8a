"""The programs that are compared: how each is started to serve, and to fetch."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from typing import Callable

HOST = "127.0.0.1"
PORT = 4433
ADDRESS = f"{HOST}:{PORT}"
# What is fetched as a small request, in bytes.
SMALL = 1000

Command = list[str]

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log /dev/null crit;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    # All requests go over one connection, 100 at once as with the others.
    keepalive_requests 10000000;
    http3_max_concurrent_streams 100;
    # Off by default, and much slower then.
    quic_gso on;
    ssl_certificate {files}/cert.pem;
    ssl_certificate_key {files}/key.pem;
    ssl_protocols TLSv1.3;
    server {{
        listen {address} quic reuseport;
        http3 on;
        root {files};
    }}
}}
"""


@dataclass(frozen=True)
class Program:
    """A server and a client that understand each other."""

    name: str
    server: Command
    # One stream with so many bytes.
    bulk: Callable[[int], Command]
    # So many streams of 1,000 bytes on one connection, 100 at a time.
    requests: Callable[[int], Command]
    # So many connections one after the other, each for one stream of 1,000 bytes; one command or one for each.
    connections: Callable[[int], list[Command]]


def perf(name: str, program: pathlib.Path, *verbs: str) -> Program:
    """mhq perf, and what speaks its protocol."""
    client = [str(program), *verbs, "client", ADDRESS]
    return Program(
        name=name,
        server=[str(program), *verbs, "server", "--listen", ADDRESS],
        bulk=lambda size: [*client, "--download", str(size)],
        requests=lambda count: [*client, "--download", str(SMALL), "--parallel", "100", "--count", str(count)],
        connections=lambda count: [[*client, "--handshakes", str(count)]],
    )


def ngtcp2(programs: pathlib.Path, files: pathlib.Path) -> Program:
    """ngtcp2's own client and server, over HTTP/3, with `files` to serve."""
    options = ["-q", "--exit-on-all-streams-close", "--no-quic-dump", "--no-http-dump"]

    def fetch(name: str, *more: str) -> Command:
        return [str(programs / "gtlsclient"), *options, *more, HOST, str(PORT), f"https://localhost:{PORT}/{name}"]

    return Program(
        name="ngtcp2",
        server=[
            str(programs / "gtlsserver"), "-q", "-d", str(files), HOST, str(PORT), str(files / "key.pem"),
            str(files / "cert.pem"),
        ],
        bulk=lambda size: fetch("bulk"),
        requests=lambda count: fetch("small", "-n", str(count)),
        connections=lambda count: [fetch("small")] * count,
    )


# -- Over HTTP/3, where every client works with every server


def http3_servers(mhq: pathlib.Path, ngtcp2: pathlib.Path, nginx: pathlib.Path | None, files: pathlib.Path
                  ) -> dict[str, Command]:
    """Servers of the same files, each with one thread."""
    key, certificate = str(files / "key.pem"), str(files / "cert.pem")
    servers = {
        "mhq": [
            str(mhq), "serve", "--listen", ADDRESS, "--root", str(files), "--certificate", certificate, "--private-key",
            key, "--no-tcp", "--loops", "1"],
        "ngtcp2": [str(ngtcp2 / "gtlsserver"), "-q", "-d", str(files), HOST, str(PORT), key, certificate],
    }
    if nginx:
        folder = files / "nginx"
        folder.mkdir()
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, files=files, address=ADDRESS))
        servers["nginx"] = [str(nginx), "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    return servers


def http3(client: str, server: str, command: Command, mhq: pathlib.Path, ngtcp2_programs: pathlib.Path,
          files: pathlib.Path) -> Program:
    """One of the clients with one of the servers."""
    if client == "ngtcp2":
        fetcher = ngtcp2(ngtcp2_programs, files)
        bulk, requests, connections = fetcher.bulk, fetcher.requests, fetcher.connections
    else:
        fetch = [str(mhq), "get", "--ca-file", str(files / "cert.pem"), "--json", "--fail"]
        url = f"https://{ADDRESS}"

        def bulk(size: int) -> Command:
            return [*fetch, f"{url}/bulk"]

        def requests(count: int) -> Command:
            return [*fetch, "--repeat", str(count), "--parallel", "100", f"{url}/small"]

        def connections(count: int) -> list[Command]:
            return [[*fetch, f"{url}/small"]] * count
    return Program(
        name=f"{server} < {client}", server=command, bulk=bulk, requests=requests, connections=connections)
