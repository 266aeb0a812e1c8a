"""Writes the UDP datagrams of a namespace to a capture: `python -m move.recorder FILE`, until it is stopped."""

from __future__ import annotations

import signal
import socket
import sys
import time
from pathlib import Path

from capture.pcap import Writer

ETH_P_IP = 0x0800
UDP = 17


def main() -> None:
    is_over = False

    def stop(*_: object) -> None:
        nonlocal is_over
        is_over = True

    signal.signal(signal.SIGTERM, stop)
    # Without Ethernet headers, and from all devices.
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
    packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    packets.settimeout(0.1)
    writer = Writer(Path(sys.argv[1]))
    print("ready", flush=True)
    while not is_over:
        try:
            packet, (_, protocol, *_) = packets.recvfrom(65535)
        except TimeoutError:
            continue
        if protocol == ETH_P_IP and len(packet) > 28 and packet[9] == UDP:
            writer.write_packet(time.time_ns(), packet)
    writer.close()


main()
