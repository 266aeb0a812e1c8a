#!/usr/bin/env python3
"""Which test holds which requirement of the RFCs.

Reads Specs/compliance/*.csv and the `Holds:` comments above the tests; Specs/compliance/README.md has the convention.
Exits with 1 when a requirement has neither test nor reason, a test cites an unknown id, a list or a comment is
malformed, or more of a group's requirements rest on a reason than the group allows.
"""

import argparse
import csv
import json
import re
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

HEADER = ["id", "section", "level", "requirement", "role", "evidence"]
LEVELS = {"MUST", "MUST NOT"}
ROLES = {"client", "server", "both", "n-a"}
REASON = "reason: "

# Weaknesses of an earlier design, which scripts/weaknesses.py looks after.
ELSEWHERE = re.compile(r"W\d+")
IDENTIFIER = re.compile(r"(\d+)-([0-9A-Z]+(?:\.\d+)*)-(\d+)")
ANY_COMMENT = re.compile(r"(//|#).*\bHolds\b\s*:")
SWIFT = {"comment": re.compile(r"// Holds: (.+)"), "test": re.compile(r"@Test\b")}
PYTHON = {"comment": re.compile(r"# Holds: (.+)"), "test": re.compile(r"(async )?def ")}
STORY = re.compile(r'@Test\(\s*"((?:[^"\\]|\\.)*)"')
FUNCTION = re.compile(r"\b(?:func|def)\s+(`[^`]+`|\w+)")
LONGEST_DECLARATION = 40


@dataclass
class Group:
    """Lists that are judged together, and how many of their requirements may rest on a reason."""

    name: str
    lists: tuple
    highest_reason_share: float


# HTTP/3 has what is for intermediaries, server push and HTTP/2 alone, none of which is here.
GROUPS = [
    Group("RFC 9000 to 9002", (9000, 9001, 9002), 0.05),
    Group("HTTP/3", (9114, 9204, 9218, 9220, 9297), 0.10),
]


@dataclass
class Citation:
    file: str
    line: int
    name: str

    def __str__(self):
        return f"{self.file}:{self.line} {self.name}"


@dataclass
class Requirement:
    id: str
    section: str
    level: str
    requirement: str
    role: str
    reason: str
    tests: list = field(default_factory=list)

    @property
    def is_blank(self):
        return not self.tests and not self.reason

    @property
    def list(self):
        return int(self.id.partition("-")[0])


# The lists


def read_lists(folder, problems):
    requirements = {}
    for path in sorted(folder.glob("*.csv")):
        for row in read_list(path, problems):
            if row.id in requirements:
                problems.append(f"{path.name}: {row.id} stands there twice")
            requirements[row.id] = row
    for number in [number for group in GROUPS for number in group.lists]:
        if not any(row.list == number for row in requirements.values()):
            problems.append(f"no requirement of RFC {number} found in {folder.name}")
    return requirements


def read_list(path, problems):
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        if next(reader, None) != HEADER:
            problems.append(f"{path.name}: the header is not {','.join(HEADER)}")
            return
        counts = {}
        for fields in reader:
            fault = fault_of_row(fields, path.stem, counts)
            if fault:
                problems.append(f"{path.name}:{reader.line_num}: {fault}")
            else:
                evidence = fields[5]
                yield Requirement(*fields[:5], reason=evidence.removeprefix(REASON).strip())


def fault_of_row(fields, stem, counts):
    if len(fields) != len(HEADER):
        return f"{len(fields)} fields instead of {len(HEADER)}"
    identifier, section, level, requirement, role, evidence = fields
    match = IDENTIFIER.fullmatch(identifier)
    if not match or f"rfc{match[1]}" != stem or match[2] != section:
        return f"the id {identifier!r} fits neither file nor section"
    if not any(int(match[1]) in group.lists for group in GROUPS):
        return f"RFC {match[1]} belongs to no group"
    counts[section] = counts.get(section, 0) + 1
    if int(match[3]) != counts[section]:
        return f"{identifier} breaks the running number of its section"
    return fault_of_values(level, requirement, role, evidence)


def fault_of_values(level, requirement, role, evidence):
    if level not in LEVELS:
        return f"unknown level {level!r}"
    if role not in ROLES:
        return f"unknown role {role!r}"
    if not requirement.strip():
        return "no requirement"
    if evidence and not (evidence.startswith(REASON) and evidence.removeprefix(REASON).strip()):
        return f"evidence is empty or begins with {REASON!r}, not {evidence!r}"
    return None


# The tests


def read_tests(root, requirements, problems):
    for path in sorted((root / "Tests").rglob("*.swift")):
        read_test_file(path, root, SWIFT, requirements, problems)
    for path in sorted((root / "scripts" / "interop").glob("*.py")):
        read_test_file(path, root, PYTHON, requirements, problems)


def read_test_file(path, root, language, requirements, problems):
    name = path.relative_to(root).as_posix()
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    cited = []
    for index, line in enumerate(lines):
        match = language["comment"].fullmatch(line)
        if match:
            cited += identifiers(match[1])
        elif ANY_COMMENT.search(line):
            problems.append(f"{name}:{index + 1}: a 'Holds:' comment of another form")
        elif cited:
            cite(cited, lines, index, name, language, requirements, problems)
            cited = []
    if cited:
        problems.append(f"{name}: 'Holds:' at the end of the file, above no test")


def identifiers(text):
    return [part.strip() for part in text.rstrip(",").split(",")]


def cite(cited, lines, index, name, language, requirements, problems):
    place = f"{name}:{index + 1}"
    declaration = declaration_at(lines, index)
    if not language["test"].match(lines[index]):
        problems.append(f"{place}: 'Holds:' is not directly above a test")
    elif ".disabled" in declaration:
        problems.append(f"{place}: a disabled test holds nothing")
    else:
        for identifier in cited:
            add(Citation(name, index + 1, name_of(declaration)), identifier, requirements, problems)


def declaration_at(lines, index):
    collected = []
    for line in lines[index : index + LONGEST_DECLARATION]:
        collected.append(line)
        if FUNCTION.search(line):
            break
    return "\n".join(collected)


def name_of(declaration):
    story, function = STORY.search(declaration), FUNCTION.search(declaration)
    if story:
        return f'"{story[1]}"'
    return function[1] if function else "?"


def add(citation, identifier, requirements, problems):
    if ELSEWHERE.fullmatch(identifier):
        return
    if identifier not in requirements:
        problems.append(f"{citation.file}:{citation.line}: unknown id {identifier!r}")
    elif citation not in requirements[identifier].tests:
        requirements[identifier].tests.append(citation)


# The verdict


def judge(requirements, problems):
    for row in requirements:
        if row.tests and row.reason:
            problems.append(f"{row.id}: rests on a reason although {row.tests[0]} holds it")
    return {group.name: judge_group(group, requirements, problems) for group in GROUPS}


def judge_group(group, requirements, problems):
    figures = summary([row for row in requirements if row.list in group.lists])
    if figures["blank"]:
        problems.append(f"{group.name}: {figures['blank']} requirements have neither test nor reason")
    if figures["reasonShare"] > group.highest_reason_share:
        share = f"{group.highest_reason_share:.0%}"
        problems.append(f"{group.name}: more than {share} of the requirements rest on a reason")
    return figures


def summary(requirements):
    total = len(requirements)
    by_test = sum(1 for row in requirements if row.tests)
    by_reason = sum(1 for row in requirements if row.reason and not row.tests)
    return {
        "total": total,
        "byTest": by_test,
        "byReason": by_reason,
        "reasonShare": by_reason / total if total else 0,
        "blank": total - by_test - by_reason,
    }


# The report


def print_text(requirements, figures, problems):
    for row in requirements:
        print(f"{row.id}  {row.level} ({row.role})  {row.requirement}")
        for test in row.tests:
            print(f"    {test}")
        if row.reason:
            print(f"    {REASON}{row.reason}")
    for problem in problems:
        print(f"problem: {problem}")
    for name, of_group in figures.items():
        print(f"{name}: {summary_line(of_group)}")


def summary_line(figures):
    share = f"{figures['reasonShare']:.1%}".replace("%", " %")
    return (
        f"{figures['total']} requirements: {figures['byTest']} by test, "
        f"{figures['byReason']} by reason ({share}), {figures['blank']} blank"
    )


def print_json(requirements, figures, problems):
    rows = [{**vars(row), "tests": [vars(test) for test in row.tests]} for row in requirements]
    print(json.dumps({"groups": figures, "problems": problems, "requirements": rows}, indent=2))


def arguments():
    parser = argparse.ArgumentParser(description="Which test holds which requirement of the RFCs.")
    parser.add_argument("--missing", action="store_true", help="only requirements without test and reason")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="the repository")
    return parser.parse_args()


def main():
    options, problems = arguments(), []
    by_id = read_lists(options.root / "Specs" / "compliance", problems)
    read_tests(options.root, by_id, problems)
    requirements = list(by_id.values())
    figures = judge(requirements, problems)
    shown = [row for row in requirements if row.is_blank] if options.missing else requirements
    (print_json if options.json else print_text)(shown, figures, problems)
    return 1 if problems else 0


if __name__ == "__main__":
    # A reader such as `head` may go away early.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
