"""Attacks on pooled figures: what somebody who may ask everything can work out of all that was answered.

The attacker knows who contributes to what and all exposures; it wants a firm's failures. It solves the linear equations
that the answers are, by singular values, which is another way than the audit's. With the rules taken away (a threshold
only) the same attack succeeds, so it can.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from analytics.life.rows import Floats
from analytics.pooling.asking import judged
from analytics.pooling.estimates import firms
from analytics.pooling.ledger import Ledger
from analytics.pooling.releases import Asked, Judge, Record
from analytics.pooling.rules import Rules
from analytics.pooling.values import FIGURES, METRICS, Pool
from chaingraph.snapshot import Snapshot

WORLDS = 100
QUESTIONS = 48
"""Asked of each world, of about a hundred; of one that changes, an equal share in each of its states."""
RULES = Rules()
RATE = Asked(METRICS["failure_rate"], "bearing")
NOTHING = Pool({}, pl.DataFrame())


@dataclass
class World:
    """Figures of firms by year, with the region and tier of each."""

    figures: pl.DataFrame
    region: dict[str, str]
    tier: dict[str, int]

    def questions(self) -> Iterator[pl.DataFrame]:
        """The figures of every conjunctive filter, equalities and inequalities, in random order."""
        by = pl.col("by")
        regions = [None, *itertools.product((True, False), sorted(set(self.region.values())))]
        tiers = [None, *itertools.product((True, False), sorted(set(self.tier.values())))]
        for region, tier, year in itertools.product(regions, tiers, (None, 2023, 2024)):
            found = self.figures
            if region is not None:
                named = [f for f, r in self.region.items() if r == region[1]]
                found = found.filter(by.is_in(named) if region[0] else ~by.is_in(named))
            if tier is not None:
                level = [f for f, t in self.tier.items() if t == tier[1]]
                found = found.filter(by.is_in(level) if tier[0] else ~by.is_in(level))
            yield found if year is None else found.filter(pl.col("year") == year)


def made(rng: np.random.Generator, n: int = 12, owner: Callable[[int], int] = lambda i: i) -> World:
    rows = [
        {
            "by": f"F{i:02}", "owner": f"O{owner(i):02}", "part_class": "bearing", "unit": "h", "mechanism": None,
            "year": year, "y": float(rng.poisson(40 * rng.lognormal(0, 0.4))), "t": 1e6 * float(rng.lognormal(0, 0.3)),
            "log": 0.0, "square": 0.0,
        }
        for i in range(n) for year in (2023, 2024) if rng.random() < 0.9
    ]  # fmt: skip
    names = [f"F{i:02}" for i in range(n)]
    return World(
        pl.DataFrame(rows, schema=FIGURES),
        {name: str(rng.choice(list("ABC"))) for name in names},
        {name: int(rng.integers(1, 3)) for name in names},
    )


Policy = Callable[[Ledger, pl.DataFrame], bool]


def guarded(ledger: Ledger, figures: pl.DataFrame) -> bool:
    """What the product does."""
    whole = firms(RATE.metric, NOTHING, figures.with_columns(unit=pl.lit("h")), None)
    return judged(ledger, RULES, RATE, whole, figures, None) is None


def naive(_: Ledger, figures: pl.DataFrame) -> bool:
    """Firms are counted, by owner, and that is all."""
    return figures["owner"].n_unique() >= RULES.contributors


def by_name(_: Ledger, figures: pl.DataFrame) -> bool:
    """Firms are counted by their names, and no one firm may dominate."""
    sums = figures.group_by("by").agg(pl.col("y").sum())
    return sums.height >= RULES.contributors and not RULES.dominated(sums["y"].to_list())


@dataclass
class Attacker:
    """What was answered: failures of (owner, figure) summed."""

    unknown: dict[tuple[str, str], float]
    answers: list[tuple[set[tuple[str, str]], float]]

    @classmethod
    def empty(cls) -> Attacker:
        return cls({}, [])

    def hear(self, figures: pl.DataFrame) -> None:
        rows = {
            (owner, f"{by}/{year}/{y}"): y
            for owner, by, year, y in figures.select("owner", "by", "year", "y").iter_rows()
        }
        self.unknown |= rows
        self.answers.append((set(rows), sum(rows.values())))

    def recovered(self, insider: str | None = None) -> dict[str, float]:
        """Owners of whom some figure, or sum or difference of figures, can be solved for, and by how much the solution
        is off.
        """
        if not self.answers:
            return {}
        names = list(self.unknown)
        truth = np.array([self.unknown[name] for name in names])
        equations = np.array([[name in asked for name in names] for asked, _ in self.answers], float)
        answers = np.array([value for _, value in self.answers])
        known = np.array([owner == insider for owner, _ in names], bool)
        answers = answers - equations[:, known] @ truth[known]
        equations, truth = equations[:, ~known], truth[~known]
        if not len(equations):
            return {}
        _, values, basis = np.linalg.svd(equations, full_matrices=False)
        basis = basis[values > 1e-9]
        solved = np.linalg.lstsq(equations, answers, rcond=None)[0]
        owners = np.array([owner for owner, _ in names])[~known]
        found = {}
        for owner in np.unique(owners):
            mine = owners == owner
            _, within, forms = np.linalg.svd(basis[:, mine], full_matrices=False)
            if len(within) and within[0] > 1 - 1e-7:
                found[str(owner)] = abs(float(forms[0] @ (solved - truth)[mine]))
        return found

    def anybody(self) -> dict[str, float]:
        """`recovered`, by an outsider or any one insider."""
        owners = sorted({owner for owner, _ in self.unknown})
        return {k: v for insider in (None, *owners) for k, v in self.recovered(insider).items()}


def attack(worlds: Sequence[World], policy: Policy, rng: np.random.Generator) -> tuple[Attacker, int]:
    """Everything is asked of one world after another, as it changes; how much was answered."""
    ledger, attacker, answered = Ledger(None, b"s" * 32), Attacker.empty(), 0
    for world in worlds:
        questions = [each for each in world.questions() if len(each)]
        for at in rng.permutation(len(questions))[: QUESTIONS // len(worlds)]:
            if policy(ledger, questions[at]):
                attacker.hear(questions[at])
                answered += 1
    return attacker, answered


def joined_and_left(rng: np.random.Generator) -> list[World]:
    """A consortium; then one firm has joined; then another has left; then one firm's figures have changed."""
    whole = made(rng)
    names = sorted(whole.region)
    changed = whole.figures.with_columns(y=pl.when(pl.col("by") == names[3]).then(pl.col("y") + 7).otherwise("y"))
    frames = [
        whole.figures.filter(pl.col("by") != names[0]), whole.figures,
        whole.figures.filter(pl.col("by") != names[1]), changed,
    ]  # fmt: skip
    return [World(frame, whole.region, whole.tier) for frame in frames]


ATTACKS: dict[str, tuple[Callable[[np.random.Generator], list[World]], Policy]] = {
    "filters": (lambda rng: [made(rng)], naive),
    "joining and leaving": (joined_and_left, naive),
    "subsidiaries": (lambda rng: [made(rng, 20, lambda i: 0 if i < 5 else i)], by_name),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_firms_figure_is_recovered_by_anybody(name: str) -> None:
    worlds, _ = ATTACKS[name]
    answered = 0
    for seed in range(WORLDS):
        rng = np.random.default_rng(seed)
        attacker, answers = attack(worlds(rng), guarded, rng)
        assert attacker.anybody() == {}, seed
        answered += answers
    assert answered >= 2 * WORLDS  # a benchmark that answers nothing is safe, too


@pytest.mark.parametrize("name", ATTACKS)
def test_the_same_attack_succeeds_where_only_firms_are_counted(name: str) -> None:
    worlds, control = ATTACKS[name]
    broken = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        attacker, _ = attack(worlds(rng), control, rng)
        found = attacker.anybody()
        broken += bool(found)
        assert all(off < 1e-6 * max(attacker.unknown.values()) * len(attacker.answers) for off in found.values())
    assert broken >= 9


def test_chains_of_three_questions_give_nothing_either_in_whatever_order() -> None:
    """Any three of the questions, asked first of a fresh ledger: a chain is refused at the link that would tell."""
    rng = np.random.default_rng(5)
    told = 0
    for _ in range(WORLDS):
        world = made(rng, 10)
        questions = [each for each in world.questions() if each["owner"].n_unique() >= RULES.contributors]
        ledger, attacker, control = Ledger(None, b"s" * 32), Attacker.empty(), Attacker.empty()
        for at in rng.permutation(len(questions))[:3]:
            control.hear(questions[at])
            if guarded(ledger, questions[at]):
                attacker.hear(questions[at])
        assert attacker.anybody() == {}
        told += bool(control.anybody())
    assert told > 0


def rounds(rng: np.random.Generator) -> Iterator[pl.DataFrame]:
    """Figures at eight releases: firms join and leave, and the figures of some change, of none, of one or of all."""
    figures = made(rng, 9).figures
    names = sorted(set(figures["by"]))
    inside = set(names[:7])
    for _ in range(8):
        yield figures.filter(pl.col("by").is_in(sorted(inside)))
        inside ^= set(rng.choice(names, rng.integers(0, 2)).tolist())
        changed = rng.choice(names, rng.choice([0, 1, len(names)]), replace=False).tolist()
        more = pl.Series(rng.poisson(5, len(figures)).astype(float))
        figures = figures.with_columns(y=pl.when(pl.col("by").is_in(changed)).then(pl.col("y") + more).otherwise("y"))


def test_releases_one_after_another_give_no_firms_figure_or_its_change() -> None:
    """A release is given as if its sums were: what was released of whom is what the attacker hears."""
    new, told = 0, 0
    for seed in range(WORLDS):
        rng = np.random.default_rng(seed)
        ledger, attacker, control = Ledger(None, b"s" * 32), Attacker.empty(), Attacker.empty()
        before: dict[str, Record] = {}
        for day, figures in enumerate(rounds(rng)):
            among = Pool({"life": figures}, pl.DataFrame())
            cell = Judge(Snapshot.empty(), among, ledger, RULES, before, str(day)).cell(RATE)
            before = {RATE.name: cell}
            control.hear(figures)
            if cell.get("as_of") == str(day):
                attacker.hear(figures.filter(pl.col("owner").is_in(cell["owners"])))
                new += 1
        assert attacker.anybody() == {}, seed
        told += bool(control.anybody())
    assert new > 2 * WORLDS
    assert told > WORLDS / 2


def hinted(world: World, rng: np.random.Generator) -> Floats:
    """Of each firm's failures in all years: how narrow an interval all that was said, refusals included, leaves."""
    from scipy.optimize import linprog

    whole = World(world.figures.with_columns(year=pl.lit(2024, pl.Int32)), world.region, world.tier)
    summed = whole.figures.group_by("by", "owner", "part_class", "unit", "mechanism", "year").agg(
        pl.col("y").sum(), pl.col("t").sum(), pl.col("log").sum(), pl.col("square").sum()
    )
    whole.figures = summed.select(list(FIGURES)).sort("by")
    names = whole.figures["owner"].to_list()
    truth = whole.figures["y"].to_numpy()
    ledger = Ledger(None, b"s" * 32)
    equal, answers, below, limits = [], [], [], []
    questions = list(whole.questions())
    for at in rng.permutation(len(questions)):
        figures = questions[at]
        inside = np.isin(names, figures["owner"].to_list()).astype(float)
        found = firms(RATE.metric, NOTHING, figures, None)
        said = judged(ledger, RULES, RATE, found, figures, None)
        if said is None:
            equal.append(inside)
            answers.append(truth @ inside)
            for member in np.flatnonzero(inside):  # none has more than a third
                below.append(np.eye(len(names))[member] - RULES.largest * inside)
                limits.append(0.0)

    def least(form: Floats) -> float:
        """The least that a sum over firms may be."""
        bounds = [(0, None)] * len(names)
        ends = linprog(form, np.array(below), limits, np.array(equal), answers, bounds)
        assert ends.status in {0, 3}  # 3: it has no lower end
        return -np.inf if ends.status == 3 else float(form @ np.asarray(ends.x))

    forms = np.eye(len(names))
    widths: Floats = np.array([-least(-form) - least(form) for form in forms]) / truth
    return widths


def test_what_was_said_and_what_the_rules_imply_leave_a_wide_interval_for_every_firm() -> None:
    """That an answer is given says that nobody has more than a third of it: inequalities, which are added up too."""
    widths = np.concatenate(
        [hinted(made(np.random.default_rng(seed)), np.random.default_rng(seed)) for seed in range(8)]
    )
    assert np.quantile(widths, 0.5) > 1.5
    assert widths.min() > 0.5
