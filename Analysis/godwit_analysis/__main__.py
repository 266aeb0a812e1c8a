"""`python -m godwit_analysis RESULTS… --out DIR`: all figures, tables and the page."""

import argparse
import sys
from pathlib import Path

from . import details, figures, layout, page, style, summaries
from .figures.plan import Drawing
from .problems import CANNOT_CREATE, DATA_ERROR, NO_INPUT, USAGE, DataError, Findings, MissingData
from .results import Results

MANIFEST = "files.txt"
PAGE = "index.html"


class Failure(Exception):
    """An end of the program: a line for the user and an exit code."""

    def __init__(self, line: str, code: int):
        super().__init__(line)
        self.code = code


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise Failure(message, USAGE)


def main(arguments: list[str] | None = None) -> int:
    try:
        options = _options(arguments)
        return run([Path(one) for one in options.results], Path(options.out), quiet=options.quiet)
    except (Failure, DataError) as failure:
        print(f"figures: {failure}", file=sys.stderr)
        return failure.code if isinstance(failure, Failure) else DATA_ERROR
    except BrokenPipeError:
        return CANNOT_CREATE


def _options(arguments: list[str] | None):
    parser = Parser(prog="figures", description=__doc__)
    parser.add_argument(
        "results", nargs="+", metavar="RESULTS", help="a folder of results; several stand side by side"
    )
    parser.add_argument("--out", required=True, help="where figures, tables and the page go")
    parser.add_argument("--quiet", action="store_true", help="say only what is missing or wrong")
    return parser.parse_args(arguments)


def run(roots: list[Path], out: Path, quiet: bool = False) -> int:
    """Draws what can be drawn. 0: all read; 65: a file was broken; 66: there was nothing to draw."""
    sets = [one for root in roots for one in _sets(root)]
    _refuse_twins(sets)
    style.set_up()
    findings, written = Findings(), Output(out, quiet)
    all_results = [Results(one, findings) for one in sets]
    drawings, tables = [], []
    for results in all_results:
        for line in results.set.troubles:
            findings.note_broken(line)
        results.note_missing_files()
        details.note_flaws(results)
        drawings += written.save(_drawings(results, findings))
        tables += summaries.tables(results, findings)
    if not drawings:
        _report(findings)
        raise Failure(
            f"{', '.join(map(str, roots))}: nothing that can be drawn",
            DATA_ERROR if findings.broken else NO_INPUT,
        )
    drawings += written.save(figures.draw_comparisons(all_results, findings))
    tables += _across(all_results, findings)
    drawings += written.save(figures.draw_references())
    written.finish(page.Page(sets, drawings, tables, findings), tables)
    _report(findings)
    if not quiet:
        print(f"{len(drawings)} figures (SVG and PDF), {len(tables)} tables: {out / PAGE}")
    return DATA_ERROR if findings.broken else 0


def _sets(root: Path) -> list[layout.ResultSet]:
    if not root.is_dir():
        raise Failure(f"{root}: no such folder", NO_INPUT)
    try:
        sets = layout.discover(root)
    except PermissionError as error:
        raise Failure(f"{error.filename}: can't be read", NO_INPUT) from None
    if not sets:
        raise Failure(f"{root}: no results there: looked for folders nopacketloss and packetloss", NO_INPUT)
    return sets


def _refuse_twins(sets: list[layout.ResultSet]) -> None:
    seen: dict[str, Path] = {}
    for one in sets:
        if one.slug in seen:
            raise Failure(
                f"{seen[one.slug]} and {one.root} are both policy {one.policy}, backend {one.backend}", USAGE
            )
        seen[one.slug] = one.root


def _drawings(results: Results, findings: Findings):
    for plan in figures.plans(results):
        drawing = figures.draw(plan, results)
        if drawing is not None:
            yield drawing


def _across(all_results: list[Results], findings: Findings) -> list[summaries.Table]:
    try:
        return [summaries.agreement_table(all_results)]
    except MissingData:
        return []


def _report(findings: Findings) -> None:
    for title, lines in (
        ("missing", findings.missing),
        ("not drawn", findings.not_drawn),
        ("failed check", findings.flaws),
        ("note", findings.notes),
    ):
        for line in lines:
            print(f"{title}: {line}")
    for line in findings.broken:
        print(f"figures: {line}", file=sys.stderr)


class Output:
    """Writes files and remembers which, so that the next time nothing old is left among the new."""

    def __init__(self, root: Path, quiet: bool):
        self.root, self.quiet = root, quiet
        self._files: list[Path] = []
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._remove_former()
        except OSError as error:
            raise Failure(f"{root}: can't be written: {error.strerror}", CANNOT_CREATE) from None

    def _remove_former(self) -> None:
        manifest = self.root / MANIFEST
        if not manifest.is_file():
            return
        for line in manifest.read_text(encoding="utf-8").splitlines():
            path = self.root / line
            if self.root.resolve() in path.resolve().parents and path.is_file():
                path.unlink()
        manifest.unlink()

    def save(self, drawings) -> list[tuple[Drawing, Path]]:
        saved = []
        for drawing in drawings:
            stem = self.root / "figures" / drawing.folder / drawing.name
            files = style.save(drawing.figure, stem, drawing.title)
            style.plt.close(drawing.figure)
            self._files += files
            saved.append((drawing, files[0]))
            if not self.quiet:
                print(f"{drawing.folder}/{drawing.name}", flush=True)
        return saved

    def finish(self, whole: page.Page, tables: list[summaries.Table]) -> None:
        self._files += [table.write(self.root) for table in tables]
        whole.write(self.root / PAGE)
        self._files.append(self.root / PAGE)
        names = sorted(str(path.relative_to(self.root)) for path in self._files)
        (self.root / MANIFEST).write_text("\n".join(names) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
