"""The view is what the rules say, on random worlds; and a view that breaks a rule is found out."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaingraph import masking, rights, seen
from chaingraph.snapshot import Snapshot
from schema.vocabularies import Disclosure
from tests.sharing.oracle import ASPECTS, Oracle, mark
from tests.sharing.worlds import AT, World, worlds

BATCHES, EACH = 20, 500
"""Random worlds in a run: 10,000."""
WAYS = {"show": Disclosure.SHOW, "use": Disclosure.USE, "pool": Disclosure.POOL}
PIECE = re.compile(r"P-[a-z2-7]{12}")
FIELDS = {
    "part": ("issuer", "number", "owner", "upload", "row", "extra", "part_class"),
    "contains": ("parent", "child", "owner", "upload", "row", "extra"),
    "supplies": ("supplier", "part", "customer", "price", "owner", "upload", "row", "extra"),
    "lot": ("part", "maker", "code", "owner", "upload", "row", "extra"),
    "life_record": ("part", "maker", "product", "owner", "upload", "row", "extra", "age"),
}


def difference(world: World, code: Any = None, ways: tuple[str, ...] = ("show",)) -> str | None:
    """Where the view and the rules differ in a world; None where they do not."""
    code = code or types.SimpleNamespace(Rights=rights.Rights, Seen=seen.Seen)
    oracle = Oracle(world, ways)
    held = code.Rights(world.snapshot, world.viewer, world.purpose, AT)
    for way in ways:
        view = code.Seen(world.snapshot, held, b"secret", WAYS[way])
        names: dict[str, str] = {}
        for name in ASPECTS:
            expected = oracle.visible(name, way)
            rows = view.table(name) if world.number % 10 == 0 else view._mine(name).rows  # without stubs: much quicker
            told = {mark(name, row): row for row in rows.to_dicts() if mark(name, row) != "None"}
            if told.keys() != expected.keys():
                return f"{way} {name}: rows {sorted(told)} instead of {sorted(expected)}"
            for at, row in told.items():
                for field in FIELDS[name]:
                    wrong = mismatch(row[field], expected[at].get(field), names)
                    if wrong:
                        return f"{way} {name} {at} {field}: {wrong}"
    return None


def mismatch(told: Any, expected: Any, names: dict[str, str]) -> str | None:
    """What is wrong with a cell; `names` keeps the pseudonyms met so far, each of which stands for one thing."""
    if not (isinstance(expected, str) and expected.startswith("?")):
        return None if told == expected else f"{told!r} instead of {expected!r}"
    things = expected[1:].split("/?") if "/?" in expected else [expected[1:]]
    pieces = str(told).split("/")
    if len(pieces) != len(things) or not all(map(PIECE.fullmatch, pieces)):
        return f"{told!r} is no pseudonym of {things}"
    for piece, thing in zip(pieces, things, strict=True):
        if names.setdefault(thing, piece) != piece or [n for n, p in names.items() if p == piece] != [thing]:
            return f"{piece} stands for several, or {thing} has several"
    return None


@pytest.mark.parametrize("batch", range(BATCHES))
def test_the_view_is_what_the_rules_say(batch: int) -> None:
    for world in worlds(1000 + batch, EACH):
        ways = ("show", "use", "pool") if world.number % 5 == 0 else ("show",)
        found = difference(world, ways=ways)
        assert found is None, (
            f"world {world.number} of batch {batch}, {world.viewer} for {world.purpose}: {found}\n"
            + "\n".join(str(world.snapshot.table(name).to_dicts()) for name in world.rows)
        )


def test_worlds_are_dense_enough() -> None:
    """Of a few hundred worlds, many have something granted, passed on, hidden and pseudonymous."""
    found = {"granted": 0, "hidden": 0, "pseudonym": 0, "onward": 0}
    for world in worlds(5, 300):
        seen_rows = Oracle(world).visible("life_record", "show")
        others = [row for row in world.rows["life_record"] if row["owner"] != world.viewer]
        theirs = [row for row in seen_rows.values() if row["owner"] not in {None, world.viewer}]
        found["granted"] += bool(theirs)
        found["hidden"] += len(theirs) < len(others)
        found["pseudonym"] += "?" in str(seen_rows)
        direct = {a["owner"] for a in world.rows["agreement"] if a["grantee"] in Oracle(world).called(world.viewer)}
        found["onward"] += any(row["owner"] not in direct for row in theirs)
    assert min(found.values()) >= 3, found


MUTANTS: list[tuple[str, str, str, str]] = [
    ("no check of the state", "rights", '(pl.col("state") == AgreementState.ACCEPTED.value)', "pl.lit(value=True)"),
    ("revoked ones hold", "rights", '(pl.col("state") == AgreementState.ACCEPTED.value)',
     'pl.col("state").is_in(["accepted", "revoked"])'),
    ("purpose ignored", "rights", '& pl.col("purposes").str.split(";").list.contains(self.purpose)', ""),
    ("start ignored", "rights", '(pl.col("start") <= self.at) & ', ""),
    ("start not included", "rights", '(pl.col("start") <= self.at)', '(pl.col("start") < self.at)'),
    ("end ignored", "rights", ' & (self.at < pl.col("end"))', ""),
    ("end included", "rights", '(self.at < pl.col("end"))', '(self.at <= pl.col("end"))'),
    ("grantee ignored", "rights", 'pl.col("grantee").is_in(covered) & ', ""),
    ("everyone is nobody", "rights", "covered = [firm, EVERYONE, ", "covered = [firm, "),
    ("membership before it begins", "rights", '(row["since"] or day) <= day and ', ""),
    ("membership after its end", "rights", ' and (row["until"] is None or day < row["until"])', ""),
    ("membership on its last day", "rights", 'day < row["until"]', 'day <= row["until"]'),
    ("membership by anybody's word", "rights",
     '(pl.col("owner") == pl.col("leader")) | (pl.col("owner") == pl.col("owner_of"))', "pl.lit(value=True)"),
    ("all groups are one", "rights", 'f"{GROUP}{row[\'consortium\']}/{name}" for name in names if name',
     'f"{GROUP}{row[\'consortium\']}/{name}" for name in ("g", "h")'),
    ("a chain has the aspects of either", "rights", "self.aspects & further.aspects", "self.aspects | further.aspects"),
    ("a chain has the scope of the first alone", "rights", "self.scopes | further.scopes", "self.scopes"),
    ("a chain has the scope of the last alone", "rights", "self.scopes | further.scopes", "further.scopes"),
    ("a chain has the stronger mode", "rights", "max(self.mode, further.mode", "min(self.mode, further.mode"),
    ("all may be passed on", "rights", 'agreements.filter("onward").collect()', "agreements.collect()"),
    ("nothing may be passed on", "rights", "waiting += [", "[*waiting] + ["),
    ("scopes ignored", "rights", "if not any(scope.terms for scope in grant.scopes)", ""),
    ("any scope is enough", "rights", "parts if before is None else before & parts",
     "parts if before is None else before | parts"),
    ("a subtree by anybody's word", "rights", ".lazy().filter(said)", ".lazy()"),
    ("a class by anybody's word", "rights", 'table("part").filter(said & ', 'table("part").filter('),
    ("the product ignored", "rights", 'of if what == "product" else None', "None"),
    ("the mode ignored", "rights", "return WEAKER.index(self.mode) <= WEAKER.index(mode)", "return True"),
    ("one of several who were asked is enough", "rights", 'holds.all().alias("holds")', 'holds.any().alias("holds")'),
    ("a name that was not granted", "rights", '(pl.col("state") == RequestState.GRANTED.value) & ', ""),
    ("a name for another purpose", "rights", ' & (pl.col("purpose") == self.purpose)', ""),
    ("a name after its time", "rights", '(pl.col("until") > self.at)', '(pl.col("until") >= self.at)'),
    ("aspects ignored", "rights", " and aspects <= grant.aspects", ""),
    ("any aspect is enough", "rights", "aspects <= grant.aspects", "aspects & grant.aspects"),
    ("closed rows are open", "seen", "told = own | self._granted(of, frozenset([of.aspect, Aspect.IDENTITY]))",
     "told = own | self._granted(of, frozenset([of.aspect]))"),
    ("own rows are closed", "seen", "told = own | self._granted(of, frozenset([of.aspect, Aspect.IDENTITY]))",
     "told = self._granted(of, frozenset([of.aspect, Aspect.IDENTITY]))"),
    ("parties see nothing", "seen", "own | party | granted", "own | granted"),
    ("columns have the row's aspect", "seen", "if of.aspect_of(field) is not of.aspect:", "if False:"),
    ("where it came from is shown", "seen", 'PRIVATE = ("upload", "row", "extra")', 'PRIVATE = ("upload",)'),
    ("who states a row is always told", "seen", "if not granted[places].all():", "if False:"),
    ("products of others", "rights", '| (pl.col("product") == pl.col("_product"))', "| pl.lit(value=True)"),
    ("the owner of a row is masked", "masking", ' & firm.ne_missing(pl.col("_owner"))', ""),
    ("the viewer is masked", "seen", "rights.revealed | {rights.viewer}", "rights.revealed"),
    ("names of granted requests are masked", "seen", "rights.revealed | {rights.viewer}", "frozenset({rights.viewer})"),
    ("numbers are told", "masking", 'hidden & (pl.col(name) != "")', "hidden & pl.lit(atom.firm)"),
    ("firms in numbers are told", "masking", 'hidden & (pl.col(name) != "")', "hidden & pl.lit(not atom.firm)"),
    ("one pseudonym for all firms", "masking", 'said = b"\\0".join(each.encode() for each in what)', 'said = b""'),
]  # fmt: skip


def mutated(module: str, old: str, new: str) -> Any:
    """Rights and Seen with one change in the source of a module."""
    made: dict[str, types.ModuleType] = {}
    kept = {name: sys.modules[f"chaingraph.{name}"] for name in ("masking", "rights", "seen")}
    try:
        for name, original in kept.items():
            source = Path(str(original.__file__)).read_text(encoding="utf-8")
            if name == module:
                assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {name}"
                source = source.replace(old, new)
            made[name] = types.ModuleType(f"chaingraph.{name}")
            made[name].__file__ = original.__file__
            sys.modules[f"chaingraph.{name}"] = made[name]
            exec(compile(source, str(original.__file__), "exec"), made[name].__dict__)
    finally:
        sys.modules.update({f"chaingraph.{name}": module for name, module in kept.items()})
    return types.SimpleNamespace(Rights=made["rights"].Rights, Seen=made["seen"].Seen)


def survivors(mutants: list[tuple[str, str, str, str]], most: int) -> Iterator[str]:
    """The mutants that no world out of so many tells from the rules."""
    made = list(worlds(77, most))
    for name, module, old, new in mutants:
        code = mutated(module, old, new)
        for world in made:
            try:
                if difference(world, code, ("show", "pool")) is not None:
                    break
            except Exception:  # noqa: BLE001 - a mutant that fails is found out, too
                break
        else:
            yield name


@pytest.mark.parametrize("part", range(4))
def test_every_mutant_is_found_out(part: int) -> None:
    assert list(survivors(MUTANTS[part::4], 1500)) == []


def test_pseudonyms_differ_between_viewers_and_stores() -> None:
    one = masking.Masks("A", b"secret", Snapshot.empty().table("site"), frozenset())
    other = masking.Masks("B", b"secret", Snapshot.empty().table("site"), frozenset())
    elsewhere = masking.Masks("A", b"another", Snapshot.empty().table("site"), frozenset())
    told = {each.pseudonym("X") for each in (one, other, elsewhere)}
    assert len(told) == 3
    assert one.pseudonym("X") == masking.Masks("A", b"secret", Snapshot.empty().table("site"), frozenset()).pseudonym(
        "X"
    )
