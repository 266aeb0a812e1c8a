"""How everything looks: one colour, mark and name for a thing in all figures, and files that come out the same."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import seaborn
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import LogLocator, NullFormatter

# The palette of Okabe and Ito, which people with any kind of colour vision can tell apart.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE, GREY = "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#595959"

# Inches: the text of an A4 page is about as wide.
WIDTH = 7.2


@dataclass(frozen=True)
class Look:
    label: str
    colour: str
    marker: str = "o"
    line: str | tuple = "-"
    hatch: str = ""


PROTOCOLS = {
    "quicBaseline": Look("No migration", GREY, "o", ":"),
    "proactiveExplicit": Look("Proactive Explicit", SKY, "s", "-"),
    "reactiveExplicit": Look("Reactive Explicit", BLUE, "D", "-"),
    "poolOfAddresses1": Look("Pool of 1", YELLOW, "v", "--"),
    "poolOfAddresses2": Look("Pool of 2", ORANGE, "<", "--"),
    "poolOfAddresses3": Look("Pool of 3", VERMILION, "^", "--"),
    "poolOfAddresses": Look("Pool of 3", VERMILION, "^", "--"),
    "symmetric": Look("Symmetric", GREEN, "o", "-"),
    "synchronizedSymmetric": Look("Synchronized Symmetric", PURPLE, "P", "-."),
    "combined": Look("Combined", BLACK, "X", "-."),
}
TECHNIQUES = {
    "cold": Look("Cold", BLUE, "o"),
    "preCopy": Look("Pre-copy", ORANGE, "s", hatch="///"),
    "postCopy": Look("Post-copy", GREEN, "^", hatch="..."),
    "hybrid": Look("Hybrid", PURPLE, "D", hatch="xxx"),
}
LOSSES = {"nopacketloss": "No loss", "packetloss": "3 % loss"}
LOSS_SLUGS = {"nopacketloss": "no-loss", "packetloss": "loss"}
ROUND_TRIPS = {"18ms_rtt": "18 ms", "122ms_rtt": "122 ms"}


def protocol(name: str) -> Look:
    return PROTOCOLS.get(name, Look(name, BLACK, "*", ":"))


def technique(name: str) -> Look:
    return TECHNIQUES.get(name, Look(name, BLACK, "*"))


def in_order(names, known: dict[str, Look]) -> list[str]:
    """Known names in their fixed order, others behind them by the alphabet."""
    present = set(names)
    return [name for name in known if name in present] + sorted(present - set(known))


def megabytes(value: float) -> str:
    return f"{value:g} MB"


def set_up() -> None:
    seaborn.set_theme(style="whitegrid", context="paper")
    plt.rcParams.update(
        {
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "savefig.dpi": 200,
            "font.family": "DejaVu Sans",
            "font.size": 8,
            "axes.titlesize": 9,
            "axes.labelsize": 8.5,
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.fontsize": 7.5,
            "legend.title_fontsize": 8,
            "legend.frameon": True,
            "legend.framealpha": 0.9,
            "axes.edgecolor": "#444444",
            "axes.linewidth": 0.8,
            "grid.color": "#DDDDDD",
            "grid.linewidth": 0.6,
            "axes.axisbelow": True,
            "hatch.linewidth": 0.5,
            "hatch.color": "#FFFFFF",
            "lines.linewidth": 1.4,
            # Letters as shapes: the page needs no font of the reader's machine, and the bytes none of ours.
            "svg.fonttype": "path",
            "pdf.fonttype": 42,
            "axes.formatter.useoffset": False,
        }
    )


def blank(height: float, rows: int = 1, columns: int = 1, **more) -> tuple[Figure, object]:
    return plt.subplots(rows, columns, figsize=(WIDTH, height), **more)


def points(axis, x, y, look: Look, **more) -> None:
    """Marks of one kind, with a place in the legend."""
    axis.scatter(x, y, marker=look.marker, color=look.colour, linewidths=0, label=look.label, **more)


def logarithmic(axis) -> None:
    """A vertical scale with plain numbers at 1, 2 and 5 of every decade."""
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
    axis.yaxis.set_major_formatter(plain_number)
    axis.yaxis.set_minor_formatter(NullFormatter())


def plain_number(value: float, _position=None) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def outlined(look: Look) -> list:
    """A dark rim for lines that are too light for white paper."""
    return [Stroke(linewidth=2.2, foreground="#555555"), Normal()] if look.colour == YELLOW else []


def error_bars(middle, interval) -> tuple[float, float]:
    """The two lengths matplotlib wants; none where no interval could be had."""
    low, high = middle - interval.low, interval.high - middle
    return (max(low, 0.0), max(high, 0.0)) if low == low and high == high else (0.0, 0.0)


def short(value: float) -> str:
    """Three digits or so."""
    if value != value:
        return "–"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def footer(figure: Figure, text: str) -> None:
    """The caption's facts inside the picture, for whoever meets it without its page."""
    width = int(figure.get_figwidth() * 20)
    figure.text(
        0.01, -0.01, "\n".join(textwrap.wrap(text, width)), ha="left", va="top", fontsize=6.5, color="#555555"
    )


def save(figure: Figure, stem: Path, title: str) -> list[Path]:
    """SVG and PDF without dates, and with names for inner parts that depend on the file's name alone."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    svg, pdf = stem.with_name(stem.name + ".svg"), stem.with_name(stem.name + ".pdf")
    # The layout is found once, not anew for each kind of file.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    with plt.rc_context({"svg.hashsalt": stem.name}):
        figure.savefig(
            svg,
            bbox_inches="tight",
            pad_inches=0.06,
            metadata={"Date": None, "Creator": None, "Title": title},
        )
    figure.savefig(
        pdf,
        bbox_inches="tight",
        pad_inches=0.06,
        metadata={"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None, "Title": title},
    )
    svg.write_text(slimmed(svg.read_text(encoding="utf-8")), encoding="utf-8")
    return [svg, pdf]


DECIMALS = re.compile(r"(\.\d\d)\d+")
PATH_DATA = re.compile(r' d="[^"]*"')


def slimmed(svg: str) -> str:
    """Hundredths of a point are enough for what is drawn in points; glyphs are drawn at 64 times the size."""
    return PATH_DATA.sub(lambda found: DECIMALS.sub(r"\1", found.group()), svg)
