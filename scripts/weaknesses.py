#!/usr/bin/env python3
"""Which test shows that a weakness of the thesis's implementation is none of ours.

Reads Specs/weaknesses.csv and the `Holds: W7` comments above the tests, and looks up every rule of
Specs/server-migration.md that sources and tests cite. A weakness needs a test, or `reason: ` and why it can't arise;
`pending: ` says what is still to be shown besides. Disabled tests hold nothing.

Specs/weaknesses.md is the outcome for readers; --write brings it up to date. Exits with 1 when a weakness has neither
test nor reason, when a comment names an unknown one, when a file is malformed, when a rule is cited that the
specification doesn't have, or when the page is not up to date; with --final also when something is pending.
"""

import argparse
import csv
import re
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

HEADER = ["id", "weakness", "fix", "evidence"]
COUNT = 32
HOLDS = re.compile(r"(?://|#) Holds: (.+)")
IDENTIFIER = re.compile(r"W\d+")
DECLARATION = re.compile(r"@Test\b|(?:async )?def ")
STORY = re.compile(r'"((?:[^"\\]|\\.)*)"')
FUNCTION = re.compile(r"\b(?:func|def)\s+(`[^`]+`|\w+)")
DISABLED = re.compile(r"\.disabled\(")
LONGEST_DECLARATION = 20

SPECIFICATION = "Specs/server-migration.md"
CITATION = re.compile(r"server-migration\.md\s+((?:\d+(?:\.\d+)*)(?:(?:,| to| and)\s+\d+(?:\.\d+)*)*)")
HEADING = re.compile(r"^#+ (\d+(?:\.\d+)*)\.? ", re.MULTILINE)
RULE = re.compile(r"\*\*(\d+(?:\.\d+)+)\*\*")
NUMBER = re.compile(r"\d+(?:\.\d+)*")
SEPARATOR = re.compile(r"\n\s*(?://+|#)?\s*")

PAGE = "Specs/weaknesses.md"
PREFACE = """\
# Weaknesses of an earlier design

What was found in the implementation of the thesis whose protocol is
[Specs/server-migration.md](server-migration.md) 2 to 4, what is done here instead, and the tests that show it. Written
by `scripts/weaknesses.py --write` from `weaknesses.csv` and the comments `Holds: W…` above the tests.
"""


@dataclass(frozen=True)
class Test:
    path: Path
    line: int
    name: str

    def __str__(self):
        return f"{self.path}:{self.line} {self.name}"


@dataclass
class Weakness:
    id: str
    weakness: str
    fix: str
    evidence: str
    tests: list = field(default_factory=list)

    @property
    def is_pending(self):
        return self.evidence.startswith("pending: ")

    @property
    def is_missing(self):
        return not self.tests and not self.evidence


def read_list(path, problems):
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if not rows or rows[0] != HEADER:
        problems.append(f"{path.name}: the header is not {','.join(HEADER)}")
        return {}
    weaknesses = {}
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(HEADER) or row[0] != f"W{number}" or not all(row[1:3]):
            problems.append(f"{path.name}: row {number} is not W{number} with a weakness and a fix")
        elif row[3] and not re.match(r"(?:pending|reason): \S", row[3]):
            problems.append(f"{row[0]}: the evidence begins neither with 'pending: ' nor with 'reason: '")
        else:
            weaknesses[row[0]] = Weakness(*row)
    if len(rows) - 1 != COUNT:
        problems.append(f"{path.name}: {len(rows) - 1} rows instead of {COUNT}")
    return weaknesses


def read_tests(root, weaknesses, problems):
    for path in [*sorted((root / "Tests").rglob("*.swift")), *sorted((root / "scripts").rglob("*.py"))]:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        for index, line in enumerate(lines):
            match = HOLDS.fullmatch(line)
            for identifier in IDENTIFIER.findall(match[1]) if match else []:
                cite(identifier, path.relative_to(root), lines, index, weaknesses, problems)


def cite(identifier, path, lines, index, weaknesses, problems):
    place = f"{path}:{index + 1}"
    start = next((i for i in range(index, len(lines)) if not HOLDS.fullmatch(lines[i])), index)
    declaration = head(lines[start : start + LONGEST_DECLARATION])
    if not DECLARATION.match(declaration):
        problems.append(f"{place}: 'Holds:' is not directly above a test")
    elif DISABLED.search(declaration):
        problems.append(f"{place}: a disabled test holds nothing")
    elif identifier not in weaknesses:
        problems.append(f"{place}: unknown weakness {identifier}")
    else:
        story, function = STORY.search(declaration), FUNCTION.search(declaration)
        name = f'"{story[1]}"' if story else function[1] if function else "?"
        weaknesses[identifier].tests.append(Test(path, index + 1, name))


def head(lines):
    """The lines up to the one that declares the function."""
    end = next((index for index, line in enumerate(lines) if FUNCTION.search(line)), len(lines) - 1)
    return "\n".join(lines[: end + 1])


def check_citations(root, problems):
    text = (root / SPECIFICATION).read_text(encoding="utf-8")
    known = set(HEADING.findall(text)) | set(RULE.findall(text))
    for path in [*sorted((root / "Sources").rglob("*.swift")), *sorted((root / "Tests").rglob("*.swift"))]:
        flat = SEPARATOR.sub(" ", path.read_text(encoding="utf-8"))
        for citation in CITATION.findall(flat):
            for number in NUMBER.findall(citation):
                if number not in known:
                    problems.append(f"{path.relative_to(root)}: {SPECIFICATION} has no {number}")


def page(weaknesses):
    lines = [PREFACE]
    for row in weaknesses:
        lines += [f"## {row.id}. {row.weakness}\n", f"{row.fix}.\n"]
        lines += sorted({f"- {test.name} ({test.path.as_posix().removeprefix('Tests/')})" for test in row.tests})
        lines += [f"- {row.evidence[0].upper()}{row.evidence[1:]}"] if row.evidence else []
        lines.append("")
    return "\n".join(lines)


def check_page(root, weaknesses, is_writing, problems):
    path, text = root / PAGE, page(weaknesses)
    if is_writing:
        path.write_text(text, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        problems.append(f"{PAGE} is not up to date: python3 scripts/weaknesses.py --write")


def report(weaknesses, problems, only_open):
    for row in weaknesses:
        if only_open and row.tests and not row.evidence:
            continue
        print(f"{row.id}  {row.weakness}")
        for test in row.tests:
            print(f"    {test}")
        if row.evidence:
            print(f"    {row.evidence}")
    for problem in problems:
        print(f"problem: {problem}")
    held = sum(1 for row in weaknesses if row.tests and not row.is_pending)
    pending = sum(1 for row in weaknesses if row.is_pending)
    missing = sum(1 for row in weaknesses if row.is_missing)
    print(f"{len(weaknesses)} weaknesses: {held} held by tests alone, {pending} pending, {missing} missing")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--open", action="store_true", help="only those that are not held by tests alone")
    parser.add_argument("--write", action="store_true", help=f"bring {PAGE} up to date")
    parser.add_argument("--final", action="store_true", help="fail on what is pending, too")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="the repository")
    return parser.parse_args()


def main():
    options, problems = arguments(), []
    weaknesses = read_list(options.root / "Specs" / "weaknesses.csv", problems)
    read_tests(options.root, weaknesses, problems)
    check_citations(options.root, problems)
    rows = list(weaknesses.values())
    check_page(options.root, rows, options.write, problems)
    report(rows, problems, options.open)
    is_open = any(row.is_missing or (options.final and row.is_pending) for row in rows)
    return 1 if problems or is_open else 0


if __name__ == "__main__":
    # A reader such as `head` may go away early.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
