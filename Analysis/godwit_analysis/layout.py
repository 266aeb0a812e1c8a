"""Finds result sets in a folder: `DIR/POLICY/BACKEND/{nopacketloss,packetloss}/expN/…`, or the published data."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from . import tables
from .problems import DataError
from .schema import LOSSES

DEEPEST = 4
POLICIES = ("thesis", "godwit")
# What the simulator calls a millisecond is none of a clock's.
VIRTUAL_BACKENDS = ("simulated",)
BACKENDS = ("simulated", "loopback", "namespaces")
PUBLISHED = "published"
# Rows the thesis never had lie beside, out of its scripts' sight.
EXTRA = "extra"


@dataclass(frozen=True)
class Environment:
    """What is known about how results came about."""

    experiment: int | None = None
    commit: str | None = None
    dirty: bool | None = None
    facts: tuple[tuple[str, str], ...] = ()
    # Of those who did other runs of the same results before, and were interrupted.
    earlier: tuple["Environment", ...] = ()

    @property
    def shown_commit(self) -> str:
        """Every commit that runs are of, the last one first."""
        commits = (one._own_commit for one in (self, *reversed(self.earlier)))
        return "; ".join(dict.fromkeys(commits))

    @property
    def _own_commit(self) -> str:
        if self.commit is None:
            return "commit not recorded"
        return f"commit {self.commit[:12]}" + (" with changes" if self.dirty else "")


@dataclass(frozen=True)
class ResultSet:
    policy: str
    backend: str
    root: Path
    environments: tuple["Environment", ...] = field(default=(), compare=False)
    # What could not be read of them, a line each: figures can do without.
    troubles: tuple[str, ...] = field(default=(), compare=False)

    @property
    def label(self) -> str:
        return f"{self.policy}, {self.backend}"

    def shown_commit(self, experiments: Iterable[int]) -> str:
        """The commit that made results of these experiments; an environment file may be about one or about all."""
        wanted = set(experiments)
        about = [one for one in self.environments if one.experiment is None or one.experiment in wanted]
        return "; ".join(dict.fromkeys(one.shown_commit for one in about)) or Environment().shown_commit

    @property
    def slug(self) -> str:
        return f"{self.policy}/{self.backend}"

    @property
    def is_virtual(self) -> bool:
        return self.backend in VIRTUAL_BACKENDS

    @property
    def is_published(self) -> bool:
        return self.backend == PUBLISHED

    def unit(self, unit: str) -> str:
        """The unit as an axis names it: nobody shall take a virtual millisecond for one of a clock."""
        return f"virtual {unit}" if self.is_virtual else unit

    def folders(self, loss: str, experiment: str) -> list[Path]:
        """Where files of an experiment lie: the thesis's rows first, then those beside them."""
        head, _, variant = experiment.partition("/")
        candidates = [
            self.root / loss / head / variant,
            self.root / EXTRA / loss / head / variant,
            self.root / loss / EXTRA / head / variant,
            self.root / loss / head / EXTRA / variant,
            self.root / loss / head / variant / EXTRA,
        ]
        return [folder for folder in dict.fromkeys(candidates) if folder.is_dir()]

    def find(self, loss: str, experiment: str, name: str) -> list[Path]:
        """All files of that name, the thesis's rows first."""
        found = [tables.find(folder, name) for folder in self.folders(loss, experiment)]
        return [path for path in found if path is not None]


def discover(root: Path) -> list[ResultSet]:
    """Every result set below a folder, in a fixed order."""
    sets = [_described(root, path) for path in _roots(root, DEEPEST)]
    order = {name: rank for rank, name in enumerate((*POLICIES, *BACKENDS, PUBLISHED))}
    return sorted(
        sets,
        key=lambda one: (
            order.get(one.policy, 99),
            one.policy,
            order.get(one.backend, 99),
            one.backend,
            str(one.root),
        ),
    )


def _roots(folder: Path, depth: int) -> list[Path]:
    if any((folder / loss).is_dir() for loss in LOSSES):
        return [folder]
    if depth == 0:
        return []
    found: list[Path] = []
    for child in sorted(folder.iterdir()):
        if (
            child.is_dir()
            and not child.is_symlink()
            and not child.name.startswith(".")
            and child.name != EXTRA
        ):
            found += _roots(child, depth - 1)
    return found


def _described(root: Path, path: Path) -> ResultSet:
    environments, troubles = [], []
    for file in _environment_files(root, path):
        try:
            environments.append(read_environment(file))
        except DataError as error:
            troubles.append(str(error))
    backend, policy = path.resolve().name, path.resolve().parent.name
    if backend not in BACKENDS:
        # Neither policy nor backend in the path: the thesis's own data, wherever someone unpacked it.
        policy, backend = "thesis", PUBLISHED
    return ResultSet(policy, backend, path, tuple(environments), tuple(troubles))


def _environment_files(root: Path, path: Path) -> list[Path]:
    """Those of the set's folder, or of the nearest one above it."""
    folder = path
    while True:
        files = sorted(folder.glob("environment*.json"))
        if files or folder == root or root not in folder.parents:
            return files
        folder = folder.parent


def read_environment(path: Path) -> Environment:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(path, f"is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise DataError(path, "is not an object")
    number = NUMBER.search(path.stem)
    # The plan is a page of its own; its digest and title are enough here.
    facts = {key: value for key, value in content.items() if key not in ("commit", "dirty", "plan", "earlier")}
    facts = {key: value for key, value in facts.items() if value not in (None, [], {}, "")}
    if isinstance(content.get("plan"), dict) and "title" in content["plan"]:
        facts["plan"] = content["plan"]["title"]
    sessions = content.get("earlier")
    sessions = [one for one in sessions if isinstance(one, dict)] if isinstance(sessions, list) else []
    if sessions:
        facts["interrupted"] = f"{len(sessions)} times" if len(sessions) > 1 else "once"
    return Environment(
        int(number.group()) if number else None,
        *_source(content),
        tuple((key, _fact(value)) for key, value in facts.items()),
        tuple(Environment(None, *_source(one)) for one in sessions),
    )


def _source(content: dict) -> tuple[str | None, bool | None]:
    commit, dirty = content.get("commit"), content.get("dirty")
    return (
        commit if isinstance(commit, str) and commit else None,
        dirty if isinstance(dirty, bool) else None,
    )


NUMBER = re.compile(r"\d+$")


def _fact(value) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = " ".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:199] + "…"
