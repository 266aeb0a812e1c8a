"""Takes datagrams and does nothing: `python -m move.bystander IP PORT`, until it is stopped."""

from __future__ import annotations

import socket
import sys


def main() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind((sys.argv[1], int(sys.argv[2])))
        print("ready", flush=True)
        while True:
            own.recv(65535)


main()
