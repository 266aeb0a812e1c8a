#!/usr/bin/env python3
"""QPACK with another implementation (ls-qpack, by pylsqpack), offline in both directions.

    GODWIT_QPACK_OUT=out/qpack swift test --filter OfflineTests    # our encoder writes
    scripts/interop/qpack_peer.py decode out/qpack                 # the peer's decoder reads
    scripts/interop/qpack_peer.py encode out/qpack                 # the peer's encoder writes
    GODWIT_QIFS=out/qpack swift test --filter OfflineTests         # our decoder reads

pylsqpack comes with aioquic: .build/peers/venv/bin/python has it after scripts/install-peers.sh.

A folder holds texts in `qifs` and encoded files in `encoded/rfc9204/PROGRAM`, in the formats of github.com/qpackers/qifs.
Exit status: 0 all equal, 1 a file failed, 69 pylsqpack is not installed.
"""

import argparse
import collections
import pathlib
import struct
import sys

try:
    import pylsqpack
except ImportError:
    print("skipped: pylsqpack is not installed (pip install pylsqpack)")
    sys.exit(69)

ENCODER_STREAM = 0
TABLES = (0, 256, 512, 4096)
BLOCKED = (0, 100)

Settings = collections.namedtuple("Settings", "table blocked acknowledged")
Section = list[tuple[bytes, bytes]]


def read_text(path: pathlib.Path) -> list[Section]:
    """The sections of a QIF file."""
    sections: list[Section] = []
    section: Section = []
    for line in [*path.read_bytes().split(b"\n"), b""]:
        if line.startswith(b"#"):
            continue
        if line:
            name, value = line.split(b"\t", 1)
            section.append((name, value))
        elif section:
            sections.append(section)
            section = []
    return sections


def read_blocks(path: pathlib.Path):
    """The blocks of an encoded file: stream and bytes."""
    data = path.read_bytes()
    offset = 0
    while offset < len(data):
        stream, length = struct.unpack_from("!QI", data, offset)
        offset += 12
        yield stream, data[offset : offset + length]
        offset += length


def settings_of(path: pathlib.Path) -> Settings:
    table, blocked, acknowledged = path.name.split(".")[-3:]
    return Settings(int(table), int(blocked), acknowledged == "1")


def decode(path: pathlib.Path) -> tuple[list[Section], int]:
    """What the peer makes of a file, in the order of streams, and how many streams were blocked."""
    settings = settings_of(path)
    decoder = pylsqpack.Decoder(settings.table, settings.blocked)
    sections: dict[int, Section] = {}
    blocked = 0
    for stream, data in read_blocks(path):
        if stream == ENCODER_STREAM:
            for ready in decoder.feed_encoder(data):
                _, sections[ready] = decoder.resume_header(ready)
            continue
        try:
            _, sections[stream] = decoder.feed_header(stream, data)
        except pylsqpack.StreamBlocked:
            blocked += 1
    return [sections[stream] for stream in sorted(sections)], blocked


def encode(sections: list[Section], settings: Settings) -> bytes:
    """What the peer's encoder makes of sections; with acknowledgments its own decoder reads along."""
    encoder = pylsqpack.Encoder()
    decoder = pylsqpack.Decoder(settings.table, settings.blocked)
    output = bytearray()

    def block(stream: int, data: bytes) -> None:
        if data:
            output.extend(struct.pack("!QI", stream, len(data)) + data)

    first = encoder.apply_settings(settings.table, settings.blocked)
    block(ENCODER_STREAM, first)
    decoder.feed_encoder(first)
    for stream, section in enumerate(sections, 1):
        instructions, data = encoder.encode(stream, section)
        block(ENCODER_STREAM, instructions)
        block(stream, data)
        if settings.acknowledged:
            decoder.feed_encoder(instructions)
            acknowledgment, _ = decoder.feed_header(stream, data)
            encoder.feed_decoder(acknowledgment)
    return bytes(output)


def decode_all(folder: pathlib.Path) -> int:
    """Decodes all files of our encoder; returns how many failed."""
    totals: collections.Counter[str] = collections.Counter()
    sizes: collections.Counter[tuple[str, Settings]] = collections.Counter()
    for path in sorted((folder / "encoded/rfc9204/godwit").iterdir()):
        name = path.name.split(".out.")[0]
        expected = read_text(folder / f"qifs/{name}.qif")
        totals["files"] += 1
        try:
            sections, blocked = decode(path)
        except (pylsqpack.DecompressionFailed, pylsqpack.EncoderStreamError, KeyError) as error:
            print(f"{path}: {type(error).__name__}: {error}")
            totals["failed"] += 1
            continue
        totals["sections"] += len(sections)
        totals["lines"] += sum(map(len, sections))
        totals["blocked"] += blocked
        sizes[name, settings_of(path)] += path.stat().st_size
        if sections != expected:
            print(f"{path}: not what was encoded")
            totals["failed"] += 1
    print(
        f"pylsqpack {pylsqpack.__version__} decoded {totals['files']} files: {totals['sections']} sections,"
        f" {totals['lines']} lines, {totals['blocked']} blocked for a while; {totals['failed']} failed"
    )
    compare_sizes(folder, sizes)
    return totals["failed"] or int(totals["files"] == 0)


def compare_sizes(folder: pathlib.Path, sizes: dict[tuple[str, Settings], int]) -> None:
    """Prints for all settings our size, and that of the peer's files, if it has encoded the same texts.

    Where streams may not block the peer can't be told of its inserts (pylsqpack has no Insert Count Increment), so that
    it uses no table.
    """
    totals: collections.Counter[Settings] = collections.Counter()
    peer_totals: collections.Counter[Settings] = collections.Counter()
    for (name, settings), size in sizes.items():
        file = f"{name}.out.{settings.table}.{settings.blocked}.{int(settings.acknowledged)}"
        peer = folder / "encoded/rfc9204/pylsqpack" / file
        if peer.exists():
            totals[settings] += size
            peer_totals[settings] += peer.stat().st_size
    for settings, size in sorted(totals.items()):
        print(
            f"{settings}: {size} bytes, peer {peer_totals[settings]}, ratio {size / peer_totals[settings]:.3f}"
        )


def encode_all(folder: pathlib.Path) -> int:
    """Has the peer encode all texts of the folder."""
    target = folder / "encoded/rfc9204/pylsqpack"
    target.mkdir(parents=True, exist_ok=True)
    count = 0
    for text in sorted((folder / "qifs").glob("*.qif")):
        sections = read_text(text)
        for settings in (Settings(t, b, a) for t in TABLES for b in BLOCKED for a in (False, True)):
            name = f"{text.stem}.out.{settings.table}.{settings.blocked}.{int(settings.acknowledged)}"
            (target / name).write_bytes(encode(sections, settings))
            count += 1
    print(f"pylsqpack {pylsqpack.__version__} encoded {count} files into {target}")
    return int(count == 0)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=("decode", "encode"))
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    failed = decode_all(arguments.folder) if arguments.verb == "decode" else encode_all(arguments.folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
