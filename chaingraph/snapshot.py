"""The graph at one revision as columns: a table per kind, and for every reference the row it points to.

A snapshot is written beside its store as memory-mapped files, one folder per revision, so that processes share
pages and a restart takes milliseconds; it is kept up to date by replaying the commits since.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chaingraph import mapped
from chaingraph.changes import increasing, own_text
from chaingraph.merging import GONE, Merged, merge
from chaingraph.store import migration
from chaingraph.store.base import Commit, Redaction
from chaingraph.store.refusals import known, redacted
from schema import KINDS, kind

FORMAT = 2
"""Version of the folder's layout; a folder of another version is ignored and made anew."""

ABANDONED = 3600.0
"""A draft older than so many seconds was left by a process that died."""

Rows = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Csr:
    """Rows grouped by what they refer to: those of target i are `rows[indptr[i]:indptr[i + 1]]`, in ascending order."""

    indptr: NDArray[np.int64]
    rows: Rows

    @classmethod
    def of(cls, targets: Rows, size: int) -> Csr:
        """Group the rows 0..len(targets)-1 by their target (0..size-1, or -1 for none)."""
        order = np.argsort(targets, kind="stable").astype(np.int32)
        counts = np.bincount(targets[targets >= 0], minlength=size)
        indptr = np.zeros(size + 1, np.int64)
        np.cumsum(counts, out=indptr[1:])
        return cls(indptr, order[len(targets) - int(indptr[-1]) :])

    def take(self, targets: Rows) -> tuple[Rows, NDArray[np.int64]]:
        """The rows of several targets, one after another, and how many each has."""
        starts, ends = self.indptr[targets], self.indptr[np.asarray(targets) + 1]
        counts = ends - starts
        total = int(counts.sum())
        offsets = np.repeat(starts - np.concatenate(([0], np.cumsum(counts)[:-1])), counts) if len(counts) else starts
        return self.rows[offsets + np.arange(total)], counts


class Snapshot:
    """All rows of all kinds at `revision`; tables are sorted by stored key."""

    def __init__(
        self, revision: int, tables: Mapping[str, pl.DataFrame], folder: Path | None = None, digest: bytes = b""
    ) -> None:
        self.revision = revision
        self.digest = digest
        self.folder = folder
        self._tables = dict(tables)
        self._natural: dict[str, pl.Series] = {}
        self._refs: dict[tuple[str, str], Rows] = {}
        self._inverse: dict[tuple[str, str], Csr] = {}
        self._owners: dict[str, tuple[Rows, pl.Series]] = {}

    @classmethod
    def empty(cls) -> Snapshot:
        """The graph before its first commit."""
        return cls(0, {})

    @property
    def size(self) -> int:
        """Rows of all kinds."""
        return sum(len(self.table(name)) for name in KINDS)

    def table(self, name: str) -> pl.DataFrame:
        """The rows of a kind, sorted by key, with the columns of `schema.kind(name).schema`."""
        if name not in self._tables:
            found = self._mapped(f"{name}.table")
            self._tables[name] = kind(name).empty() if found is None else found
        return self._tables[name]

    def natural(self, name: str) -> pl.Series:
        """The natural keys of the rows of a kind."""
        if not kind(name).by_owner:
            return self.table(name)["key"]
        if name not in self._natural:
            found = self._mapped(f"{name}.natural")
            self._natural[name] = _natural(name, self.table(name)) if found is None else found.to_series()
        return self._natural[name]

    def ref(self, name: str, field: str) -> Rows:
        """For every row of kind `name`: the row of the kind that `field` refers to, -1 where there is none.

        Where several owners state the target, the first of their rows.
        """
        slot = (name, field)
        if slot not in self._refs:
            mapped = self._array(f"{name}.{field}.ref")
            self._refs[slot] = self._resolve(name, field) if mapped is None else mapped.astype(np.int32, copy=False)
        return self._refs[slot]

    def inverse(self, name: str, field: str) -> Csr:
        """The rows of kind `name` grouped by the row that their `field` refers to."""
        slot = (name, field)
        if slot not in self._inverse:
            indptr, rows = self._array(f"{name}.{field}.indptr"), self._array(f"{name}.{field}.rows")
            if indptr is None or rows is None:
                self._inverse[slot] = Csr.of(self.ref(name, field), len(self.table(kind(name).refs[field])))
            else:
                self._inverse[slot] = Csr(indptr.astype(np.int64, copy=False), rows.astype(np.int32, copy=False))
        return self._inverse[slot]

    def owners(self, name: str) -> tuple[Rows, pl.Series]:
        """Who states each row of a kind: a number for every row, and the owners by number."""
        if name not in self._owners:
            column = self.table(name)["owner"]
            known = column.unique().sort()
            numbered = known.to_frame("owner").with_row_index("at")
            at = column.to_frame("owner").join(
                numbered, on="owner", how="left", nulls_equal=True, maintain_order="left"
            )
            self._owners[name] = (at["at"].cast(pl.Int32).to_numpy(), known)
        return self._owners[name]

    def _resolve(self, name: str, field: str) -> Rows:
        return self._found(name, field, self.table(name)[field])

    def _found(self, name: str, field: str, values: pl.Series) -> Rows:
        """The rows that these references lead to."""
        if not len(values):
            return np.zeros(0, np.int32)
        target = kind(kind(name).refs[field])
        numbered = self.natural(target.name).alias("natural").to_frame().with_row_index("at")
        if target.by_owner:
            numbered = numbered.unique("natural", keep="first", maintain_order=True)
        wanted = values.alias("natural").to_frame()
        found = wanted.join(numbered, on="natural", how="left", maintain_order="left")["at"]
        return found.cast(pl.Int32).fill_null(-1).to_numpy()

    def apply(self, commits: Iterable[Commit], *, passing: bool = False) -> Snapshot:
        """The snapshot after these commits (in order, whole loads). Tables that they do not touch are shared.

        Raises StoreError (`journal.redacted`) where rows were taken out of these commits later than of the last of
        them: what the graph was then is not known. Who goes on from there at once is only `passing`.
        """
        touched: dict[str, list[pl.DataFrame]] = {}
        redactions: list[Redaction] = []
        revision, digest = self.revision, self.digest
        for commit in commits:
            changes = commit.changes(None)
            revision, digest = commit.revision, commit.digest
            redactions += commit.redactions
            for name, keys in changes.delete.items():
                touched.setdefault(name, []).append(_gone(keys))
            for name, rows in changes.put.items():
                touched.setdefault(name, []).append(rows)
        if not passing and not known(redactions, revision):
            raise redacted(redactions, revision)
        merged = {name: merge(self.table(name), _last(parts)) for name, parts in touched.items()}
        tables = {name: merged[name].table if name in merged else self.table(name) for name in KINDS}
        fresh = Snapshot(revision, tables, None, digest)
        fresh._share(self, merged)
        return fresh

    def _share(self, before: Snapshot, merged: Mapping[str, Merged]) -> None:
        """Take over what was derived of the snapshot before, as far as the merges let it be."""
        for name, keys in before._natural.items():
            if name not in merged or merged[name].same_keys:
                self._natural[name] = keys
            else:
                whole = pl.concat([keys, _natural(name, merged[name].added).alias(keys.name)], rechunk=False)
                self._natural[name] = whole[merged[name].order]
        self._owners |= {name: found for name, found in before._owners.items() if name not in merged}
        for name in KINDS:
            for field, target in kind(name).refs.items():
                slot = (name, field)
                if target in merged and not merged[target].same_keys:
                    continue
                if name not in merged:
                    if before.folder or slot in before._refs:
                        self._refs[slot] = before.ref(name, field)
                    if before.folder or slot in before._inverse:
                        self._inverse[slot] = before.inverse(name, field)
                elif slot in before._refs:
                    found = self._found(name, field, merged[name].added[field])
                    self._refs[slot] = np.concatenate([before._refs[slot], found])[merged[name].order]
                    if slot in before._inverse and np.array_equal(self._refs[slot], before._refs[slot]):
                        self._inverse[slot] = before._inverse[slot]

    def warm(self, like: Snapshot) -> None:
        """Resolve the references that were asked of another snapshot, so that who asks next need not wait for it."""
        for name, field in list(like._refs):
            self.ref(name, field)
        for name, field in list(like._inverse):
            self.inverse(name, field)

    def own(self) -> Snapshot:
        """The snapshot with no text in memory but its own: nothing of rows that are gone."""
        fresh = Snapshot(self.revision, {name: own_text(self.table(name)) for name in KINDS}, None, self.digest)
        fresh._refs, fresh._inverse = dict(self._refs), dict(self._inverse)
        return fresh

    def write(self, parent: Path, erased: int = 0) -> Snapshot:
        """Write the snapshot into a folder of its own under `parent` and give the mapped one back; older ones go.

        `erased` is the number of redactions of the store of which it has nothing any more.

        Whole or not at all: a temporary name, fsync, rename. A reader that still maps an older one keeps its pages.
        Raises OSError when it cannot be written; the snapshot itself is still good then.
        """
        parent.mkdir(parents=True, exist_ok=True)
        final = parent / mark(self.revision, self.digest, erased)
        draft = parent / f".{uuid.uuid4().hex}"
        if not final.exists():
            draft.mkdir()
            try:
                self._fill(draft)
                draft.rename(final)
                _sync(parent)
            except OSError:
                if not final.exists():  # another process may have been quicker
                    raise
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        for other in parent.iterdir():
            older = 0 <= _revision(other) <= self.revision and other != final
            if older or (other.name.startswith(".") and time.time() - other.stat().st_mtime > ABANDONED):
                shutil.rmtree(other, ignore_errors=True)
        return self._opened(self.revision, final, self.digest) or self

    @classmethod
    def _opened(cls, revision: int, folder: Path, digest: bytes) -> Snapshot | None:
        """The snapshot in a folder, its tables mapped; None where somebody else has removed it meanwhile."""
        found = cls(revision, {}, folder, digest)
        for name in KINDS:
            found.table(name)
        return found if folder.exists() else None

    def _fill(self, folder: Path) -> None:
        for name in KINDS:
            table = self.table(name)
            if not len(table):
                continue
            mapped.write(table, folder / f"{name}.table")
            if kind(name).by_owner:
                mapped.write(self.natural(name).to_frame(), folder / f"{name}.natural")
            for field in kind(name).refs:
                inverse = self.inverse(name, field)
                np.save(folder / f"{name}.{field}.ref.npy", self.ref(name, field))
                np.save(folder / f"{name}.{field}.indptr.npy", inverse.indptr)
                np.save(folder / f"{name}.{field}.rows.npy", inverse.rows)
        for file in folder.iterdir():
            _sync(file)
        _sync(folder)

    @classmethod
    def newest(cls, parent: Path, limit: int, digest: Callable[[int], bytes | None], erased: int = 0) -> Snapshot:
        """The newest snapshot under `parent` of at most revision `limit`; the empty one when there is none.

        Only those count that were written when the store had so many redactions (`erased`).

        `digest(revision)` is the journal's there (None: no such revision). A folder's name holds its digest and the
        shape of its tables: files left by another store or another version are not taken for this one's.
        """
        for folder in sorted(parent.glob("r*"), key=_revision, reverse=True):
            revision = _revision(folder)
            held = digest(revision) if 0 <= revision <= limit else None
            found = (
                cls._opened(revision, folder, held) if held and folder.name == mark(revision, held, erased) else None
            )
            if found is not None:
                return found
        return cls.empty()

    def _mapped(self, file: str) -> pl.DataFrame | None:
        path = self.folder / file if self.folder else None
        return mapped.read(path) if path and path.exists() else None

    def _array(self, name: str) -> NDArray[np.int32] | NDArray[np.int64] | None:
        file = self.folder / f"{name}.npy" if self.folder else None
        if file is None or not file.exists() or file.stat().st_size == 0:
            return None
        array: NDArray[np.int32] | NDArray[np.int64] = np.load(file, mmap_mode="r")
        return array


def _natural(name: str, rows: pl.DataFrame) -> pl.Series:
    """The natural keys of rows of a kind."""
    return rows.select(kind(name).natural_of()).to_series()


def _gone(keys: pl.Series) -> pl.DataFrame:
    """Deletions among the statements of a kind."""
    return pl.DataFrame({"key": keys.cast(pl.String)}).with_columns(pl.lit(value=True).alias(GONE))


def _last(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The last statement of each key, sorted by key."""
    rows = pl.concat(parts, how="diagonal")
    if increasing(rows["key"]):  # a load comes in order
        return rows
    return rows.with_row_index("_at").sort("key", "_at").unique("key", keep="last", maintain_order=True).drop("_at")


def mark(revision: int, digest: bytes, erased: int = 0) -> str:
    """Name of a snapshot that is kept: its revision, the number of redactions that it knows of, and a mark of the
    journal there and of the version and shape of the tables.
    """
    shape = [(name, [(c, str(t)) for c, t in each.schema.items()]) for name, each in KINDS.items()]
    seal = hashlib.sha256(f"{FORMAT} {migration.VERSION} {digest.hex()} {shape}".encode())
    return f"r{revision}-{f'e{erased}-' if erased else ''}{seal.hexdigest()[:16]}"


def erasures(folder: Path) -> int:
    """The number of redactions in a folder's name, of which the snapshot has nothing."""
    number = folder.name.split("-")[1] if folder.name.count("-") == 2 else "e0"
    return int(number[1:])


def _revision(folder: Path) -> int:
    """The revision in a folder's name, -1 for another folder."""
    number = folder.name[1:].partition("-")[0]
    return int(number) if folder.name.startswith("r") and number.isdigit() else -1


def _sync(path: Path) -> None:
    windows = sys.platform == "win32"
    if windows and path.is_dir():
        return  # a folder cannot be opened there
    handle = os.open(path, os.O_RDWR if windows else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
