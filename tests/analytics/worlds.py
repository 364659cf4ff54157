"""Small random worlds, and reliability computed the slow way: recursion over assemblies, enumeration, simulation."""

from dataclasses import dataclass, field
from itertools import product as combinations
from math import exp
from typing import Any

import numpy as np
from scipy.special import gammaincc

from analytics.diagram import Modes
from analytics.hazard import Hazards
from analytics.sourcing import Lines, Sources, Sourcing


@dataclass
class World:
    """Parts 0.. (0 is the product), organisations 0.., and plain Python lists of what holds among them."""

    parts: int
    organisations: int
    lines: list[dict[str, Any]] = field(
        default_factory=list
    )  # parent, child, quantity, measured, group, k, standby, duty
    sources: list[tuple[int, int, int, float]] = field(default_factory=list)  # part, maker, customer, share
    modes: list[tuple[int, int, float, float]] = field(default_factory=list)  # part, maker, beta, eta

    def line(self, parent: int, child: int, quantity: float = 1.0, **more: Any) -> "World":
        usual = {"measured": False, "group": -1, "k": -1, "standby": False, "duty": 1.0}
        self.lines.append({"parent": parent, "child": child, "quantity": quantity, **usual, **more})
        return self

    def sourcing(self) -> Sourcing:
        names = ("parent", "child", "quantity", "measured", "group", "k", "standby", "duty")
        columns = {name: [line[name] for line in self.lines] for name in names}
        lines = Lines.of(columns.pop("parent"), columns.pop("child"), columns.pop("quantity"), **columns)
        rows = np.array(self.sources, np.float64).reshape(-1, 4).T
        sources = Sources.of(rows[0], rows[1], rows[2], rows[3])
        made = np.array([(p, m) for p, m, _, _ in self.modes], np.int64).reshape(-1, 2)
        return Sourcing.of(self.parts, self.organisations, lines, sources, made[:, 0], made[:, 1])

    def mode_rows(self) -> Modes:
        table = np.array(self.modes).reshape(-1, 4)
        return Modes.of(table[:, 0], table[:, 1])

    def hazards(self, **more: Any) -> Hazards:
        table = np.array(self.modes).reshape(-1, 4)
        return Hazards.of(table[:, 2], table[:, 3], **more) if len(table) else Hazards.empty()

    # the slow way

    def makers(self, part: int, customer: int) -> list[tuple[int, float]]:
        """(maker, share) of a need, by the rule of the shares."""
        rows = [r for r in self.sources if r[0] == part]
        own = [r for r in rows if customer >= 0 and r[2] == customer]
        makes = {m for p, m, _, _ in [*self.sources, *self.modes] if p == part and m >= 0}
        if not own and customer >= 0 and customer in makes:
            return [(customer, 1.0)]
        used = own or rows
        if not used:
            known = sorted({m for p, m, _, _ in self.modes if p == part and m >= 0})
            return [(m, 1 / len(known)) for m in known] or [(-1, 1.0)]
        total = sum(r[3] for r in used)
        return [(int(r[1]), r[3] / total) for r in used]

    def modes_of(self, part: int, maker: int) -> list[tuple[float, float]]:
        own = [(b, e) for p, m, b, e in self.modes if (p, m) == (part, maker)]
        return own or [(b, e) for p, m, b, e in self.modes if (p, m) == (part, -1)]

    def needs(self, part: int) -> list[tuple[str, list[tuple[dict[str, Any], int]], int]]:
        """(kind, [(line, units)], k) for each lone line or group of a part."""
        groups: dict[object, list[dict[str, Any]]] = {}
        for number, line in enumerate(x for x in self.lines if x["parent"] == part):
            groups.setdefault(line["group"] if line["group"] >= 0 else ("alone", number), []).append(line)
        out = []
        for lines in groups.values():
            counted = [
                (x, int(x["quantity"]) if not x["measured"] and float(x["quantity"]).is_integer() else 1) for x in lines
            ]
            n = sum(u for _, u in counted)
            k = max(x["k"] for x in lines)
            out.append(("standby" if lines[0]["standby"] else "active", counted, n if k < 0 else k))
        return out

    def reliability(self, part: int, maker: int, age: float) -> float:
        """R of a state by plain recursion, groups by enumeration of their units' states."""
        r = exp(-sum((age / eta) ** beta for beta, eta in self.modes_of(part, maker)))
        for kind, lines, k in self.needs(part):
            units = [self.mixed(line["child"], maker, age * line["duty"]) for line, u in lines for _ in range(u)]
            if kind == "standby":
                assert len(set(units)) == 1
                rate, spares = -np.log(units[0]), len(units) - k
                r *= float(gammaincc(spares + 1, k * rate))  # exponential units only
                continue
            r *= sum(
                float(np.prod([u if up else 1 - u for u, up in zip(units, state, strict=True)]))
                for state in combinations((False, True), repeat=len(units))
                if sum(state) >= k
            )
        return float(r)

    def mixed(self, part: int, customer: int, age: float) -> float:
        """R of one unit of a part bought by `customer`."""
        return sum(share * self.reliability(part, maker, age) for maker, share in self.makers(part, customer))

    def simulate(self, rng: np.random.Generator, part: int, customer: int, n: int) -> np.ndarray:
        """Lives of n units of a part in their own age, every unit a physical thing of its own."""
        life = np.full(n, np.inf)
        makers = self.makers(part, customer)
        chosen = rng.choice(len(makers), n, p=[s for _, s in makers])
        for index, (maker, _) in enumerate(makers):
            rows = np.flatnonzero(chosen == index)
            lives = np.full(len(rows), np.inf)
            for beta, eta in self.modes_of(part, maker):
                lives = np.minimum(lives, eta * rng.weibull(beta, len(rows)))
            for kind, lines, k in self.needs(part):
                units = np.stack(
                    [self.simulate(rng, x["child"], maker, len(rows)) / x["duty"] for x, u in lines for _ in range(u)]
                )
                if kind == "standby":  # k = 1
                    lives = np.minimum(lives, units.sum(axis=0))
                else:
                    lives = np.minimum(lives, np.sort(units, axis=0)[len(units) - k])
            life[rows] = lives
        return life


def random_world(rng: np.random.Generator, parts: int = 9, organisations: int = 5, *, groups: bool = True) -> World:
    """A connected world in which every rule of the shares occurs; lives of the order of 1."""
    world = World(parts, organisations)
    for child in range(1, parts):
        for parent in rng.choice(child, size=min(child, int(rng.integers(1, 3))), replace=False):
            measured = bool(rng.random() < 0.15)
            line = {"measured": measured, "duty": float(rng.choice([1.0, 1.0, 0.5, 1.5]))}
            quantity = float(rng.choice([1, 1, 2, 3])) if not measured else 0.3
            style = rng.random()
            if groups and style < 0.2 and quantity > 1:
                line |= {"group": 7, "k": int(rng.integers(1, int(quantity) + 1))}
            elif groups and style < 0.35:
                line |= {"group": 9, "k": 1}
            world.line(int(parent), child, quantity, **line)
    for part in range(parts):
        style = rng.random()
        makers = rng.choice(organisations, size=int(rng.integers(1, 3)), replace=False).tolist()
        if style < 0.75:
            for customer in [-1, *range(organisations)]:
                if rng.random() < 0.6:
                    world.sources.extend((part, m, customer, float(rng.uniform(0.1, 1))) for m in makers)
        for m in [-1, *makers]:
            if rng.random() < 0.6:
                for _ in range(int(rng.integers(1, 3))):
                    world.modes.append((part, m, float(rng.uniform(0.5, 3)), float(rng.uniform(2, 30))))
    return world
