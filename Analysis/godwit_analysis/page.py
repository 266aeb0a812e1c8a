"""One page with everything in it: no script, no font and no picture comes from elsewhere."""

import html
import re
from dataclasses import dataclass
from pathlib import Path

from . import reference, statistics
from .figures import ORDER
from .figures.plan import Drawing
from .figures.reference import BESIDE, FOLDER as REFERENCE
from .layout import PUBLISHED, Environment, ResultSet
from .problems import Findings
from .summaries import Table, shown

# A table with more rows than these is folded away until somebody wants it.
FOLDED_FROM = 25

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 0 auto; max-width: 1180px;
  padding: 1.5rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; border-top: 2px solid #0072b2;
  padding-top: .8rem; } h3 { font-size: 1.05rem; margin: 1.6rem 0 .5rem; }
nav a { margin-right: 1rem; white-space: nowrap; } a { color: #00568a; }
figure { margin: 0 0 1.6rem; } figure svg { width: 100%; height: auto; display: block; }
figcaption { font-size: .85rem; color: #444; margin-top: .3rem; } figcaption b { color: #1a1a1a; }
.single { max-width: 860px; } .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1.2rem; align-items: start; }
.theirs { background: #f6f6f3; padding: .6rem; border-radius: 4px; }
@media (max-width: 900px) { .pair { grid-template-columns: 1fr; } }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .82rem; margin: .3rem 0 .4rem; }
th, td { padding: .2rem .55rem; text-align: right; border-bottom: 1px solid #e2e2e2; white-space: nowrap; }
th { background: #f0f3f6; font-weight: 600; vertical-align: bottom; } th.wrap { white-space: normal; min-width: 4.2em; }
td.text, th.text { text-align: left; } td.wrap { white-space: normal; }
.note { font-size: .85rem; color: #444; max-width: 60rem; }
details { margin: .4rem 0 1rem; } summary { cursor: pointer; font-weight: 600; }
.bad { border-left: 4px solid #d55e00; padding: .3rem .9rem; background: #fdf3ec; }
.gap { border-left: 4px solid #e69f00; padding: .3rem .9rem; background: #fdf8ec; }
@media print { details { display: block; } figure, table { break-inside: avoid; } }
"""


@dataclass
class Page:
    sets: list[ResultSet]
    drawings: list[tuple[Drawing, Path]]
    tables: list[Table]
    findings: Findings

    def write(self, path: Path) -> None:
        path.write_text(self.text(), encoding="utf-8")

    def text(self) -> str:
        present = {drawing.family for drawing, _ in self.drawings} | {table.family for table in self.tables}
        families = [family for family in ORDER if family in present]
        body = [self._head(families), self._sets(), self._findings()]
        body += [self._family(number, family) for number, family in enumerate(families, 1)]
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>Godwit: experiments on server migration</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
            + _shared_glyphs("\n".join(part for part in body if part))
            + "\n</body>\n</html>\n"
        )

    def _head(self, families: list[str]) -> str:
        links = "".join(f'<a href="#f{n}">{html.escape(family)}</a> ' for n, family in enumerate(families, 1))
        return (
            "<h1>Experiments on server migration</h1>\n"
            '<p class="note">The seven experiments of Diego Casu\'s thesis, repeated. Service times are compared with '
            "other sets only as <b>excess over the plain service time of the same backend</b>: a millisecond of the "
            "simulator is none of a clock. The thesis's figures stand beside ours on a grey ground: "
            f"{html.escape(reference.SOURCE)}. {html.escape(statistics.METHOD)}. Missing from the thesis's published "
            f"data: {html.escape(reference.NEVER_SEEN)}.</p>\n<nav>{links}</nav>"
        )

    def _sets(self) -> str:
        lines = [_set_cells(one, each) for one in self.sets for each in one.environments or (None,)]
        rows = [
            "<tr>" + "".join(f'<td class="text wrap">{html.escape(cell)}' for cell in line) for line in lines
        ]
        return (
            '<h2>Result sets</h2>\n<div class="wide"><table><tr><th class="text">policy<th class="text">backend'
            '<th class="text">time<th class="text">experiment<th class="text">commit<th class="text">environment</tr>\n'
            + "\n".join(rows)
            + "</table></div>"
        )

    def _findings(self) -> str:
        parts = [
            _lines("bad", "Broken files: what they hold is not in the figures", self.findings.broken, True),
            _lines("bad", "Runs whose own checks failed", self.findings.flaws, True),
            _lines("gap", "Missing from the results", self.findings.missing),
            _lines("gap", "Not drawn, and why", self.findings.not_drawn),
            _lines("gap", "Notes", self.findings.notes),
        ]
        return "\n".join(part for part in parts if part)

    def _family(self, number: int, family: str) -> str:
        drawings = [(drawing, path) for drawing, path in self.drawings if drawing.family == family]
        theirs = {drawing.name: (drawing, path) for drawing, path in drawings if drawing.folder == REFERENCE}
        parts, used = [f'<h2 id="f{number}">{html.escape(family)}</h2>'], set()
        labels = {one.slug: f"Policy {one.policy}, backend {one.backend}" for one in self.sets}
        folders = dict.fromkeys(
            [d.folder for d, _ in drawings] + [t.folder for t in self.tables if t.family == family]
        )
        for folder in folders:
            if folder == REFERENCE:
                continue
            if folder in labels:
                parts.append(f"<h3>{html.escape(labels[folder])}</h3>")
            for drawing, path in drawings:
                if drawing.folder != folder:
                    continue
                # Its published data needs no copy of itself beside it.
                partner = None if folder.endswith(PUBLISHED) else theirs.get(BESIDE.get(drawing.name, ""))
                parts.append(_figure(drawing, path, partner))
                used |= {partner[0].name} if partner else set()
            parts += [
                _table(table) for table in self.tables if (table.folder, table.family) == (folder, family)
            ]
        parts += [
            _figure(drawing, path, None) for name, (drawing, path) in theirs.items() if name not in used
        ]
        return "\n".join(parts)


def _set_cells(result_set: ResultSet, environment: Environment | None) -> list[str]:
    time = "virtual" if result_set.is_virtual else "of a clock"
    head = [result_set.policy, result_set.backend, time]
    if environment is None:
        return [*head, "all", "not recorded", "no environment file"]
    about = "all" if environment.experiment is None else str(environment.experiment)
    return [
        *head,
        about,
        environment.shown_commit,
        "; ".join(f"{key}: {value}" for key, value in environment.facts),
    ]


def _lines(kind: str, title: str, lines: list[str], is_open: bool = False) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{html.escape(line)}</li>\n" for line in lines)
    fold = " open" if is_open or len(lines) <= 6 else ""
    summary = f"<summary>{html.escape(title)} ({len(lines)})</summary>"
    return f'<details class="{kind}"{fold}>{summary}<ul>\n{items}</ul></details>'


def _figure(drawing: Drawing, path: Path, partner: tuple[Drawing, Path] | None) -> str:
    ours = _single(drawing, path, "single" if partner is None else "ours")
    if drawing.folder == REFERENCE:
        ours = _single(drawing, path, "single theirs")
    if partner is None:
        return ours
    return f'<div class="pair">\n{ours}\n{_single(*partner, "theirs")}\n</div>'


def _single(drawing: Drawing, path: Path, kind: str) -> str:
    name = f"{drawing.folder}/{drawing.name}"
    return (
        f'<figure class="{kind}">\n{inlined(path, drawing.title)}\n<figcaption><b>{html.escape(drawing.title)}.</b> '
        f"{html.escape(drawing.caption)} <span>File: {html.escape(name)}.svg</span></figcaption>\n</figure>"
    )


HEADER = re.compile(r"\A.*?(?=<svg\b)", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
# Letters keep their names: the same letter is the same in all figures.
LETTER = r"DejaVuSans[\w-]*"
NAMES = re.compile(rf'(\bid="|url\(#|xlink:href="#)(?!{LETTER}")')
GLYPH = re.compile(rf'<path id="({LETTER})"[^>]*/>\s*')
EMPTY_DEFINITIONS = re.compile(r"<defs>\s*</defs>\s*")


def _shared_glyphs(body: str) -> str:
    """The body with each letter's shape once at its beginning, instead of once in every figure."""
    glyphs: dict[str, str] = {}

    def collected(found: re.Match) -> str:
        glyphs.setdefault(found.group(1), found.group().strip())
        return ""

    body = EMPTY_DEFINITIONS.sub("", GLYPH.sub(collected, body))
    shapes = "\n".join(glyphs[name] for name in sorted(glyphs))
    hidden = '<svg width="0" height="0" style="position:absolute" aria-hidden="true">'
    return f"{hidden}<defs>\n{shapes}\n</defs></svg>\n{body}"


def inlined(path: Path, title: str) -> str:
    """An SVG as part of the page. Inner names get the file's name in front: two figures may both have a `patch_1`."""
    svg = COMMENT.sub("", METADATA.sub("", HEADER.sub("", path.read_text(encoding="utf-8"))))
    prefix = re.sub(r"[^A-Za-z0-9]+", "-", f"{path.parent.parent.name}-{path.parent.name}-{path.stem}")
    svg = NAMES.sub(lambda found: found.group() + prefix + "-", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{html.escape(title, quote=True)}" ', 1).strip()


def _table(table: Table) -> str:
    columns, lines = table.displayed()
    texts = [any(isinstance(row[place], str) for row in lines) for place in range(len(columns))]
    kinds = [
        "text" if text and not columns[place].endswith("% CI") else "wrap" for place, text in enumerate(texts)
    ]
    head = "".join(f'<th class="{kind}">{html.escape(column)}' for column, kind in zip(columns, kinds))
    rows = "\n".join(
        "<tr>"
        + "".join(
            f"<td{' class=text' if kind == 'text' else ''}>{html.escape(shown(cell))}"
            for cell, kind in zip(row, kinds)
        )
        for row in lines
    )
    body = f'<div class="wide"><table><tr>{head}</tr>\n{rows}</table></div>'
    note = f'<p class="note">{html.escape(table.note)}</p>' if table.note else ""
    fold = "" if len(lines) > FOLDED_FROM else " open"
    return f"<details{fold}><summary>Table: {html.escape(table.title)}</summary>{body}{note}</details>"
