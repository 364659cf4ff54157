"""Who makes the children of whose assemblies: the states (part, maker) under a product and the edges between them.

A bill of materials says what is inside; supply rows say who makes it *for whom*. Both reliability and supply walk the
same states, so they are found once, here, by waves of array operations.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analytics.arrays import Bools, Floats, Ints, distinct, entries, pointers

UNKNOWN = -1
"""The code of a maker, customer, site or group that nobody knows."""


class StructureError(ValueError):
    """A structure that cannot be computed; `code` names the rule, `parts` the part indices it is about."""

    def __init__(self, code: str, message: str, parts: tuple[int, ...] = ()):
        super().__init__(message)
        self.code = code
        self.parts = parts


@dataclass(frozen=True, slots=True)
class Lines:
    """Bill of materials lines, one a row; every array has the shape (lines,)."""

    parent: Ints
    child: Ints
    quantity: Floats
    """Units of the child in one parent; or how much of a material."""
    measured: Bools
    """True for kg, L, m and the like: such a line counts once, whatever its quantity."""
    group: Ints
    """Redundancy group within the parent, -1 for none."""
    k: Ints
    """Units of the group that must work, -1 where unknown."""
    standby: Bools
    """Spare units wait cold; else they run."""
    duty: Floats
    """Units of the child's age for each unit of the parent's."""

    @classmethod
    def of(
        cls,
        parent: object,
        child: object,
        quantity: object = 1.0,
        *,
        measured: object = False,
        group: object = UNKNOWN,
        k: object = UNKNOWN,
        standby: object = False,
        duty: object = 1.0,
    ) -> "Lines":
        """Lines from values that broadcast to one shape."""
        kinds = (np.int64, np.int64, np.float64, np.bool_, np.int64, np.int64, np.bool_, np.float64)
        values = (parent, child, quantity, measured, group, k, standby, duty)
        columns = np.broadcast_arrays(*(np.asarray(v, t) for v, t in zip(values, kinds, strict=True)))
        return cls(*(np.atleast_1d(column).copy() for column in columns))

    def take(self, index: Ints) -> "Lines":
        """The lines `index`, in that order."""
        return replace(self, **{name: getattr(self, name)[index] for name in self.__slots__})

    @property
    def units(self) -> Floats:
        """Counted units of each line: a whole quantity as it is; measured, fractional and unknown ones count once."""
        whole = np.rint(self.quantity)
        counted = ~self.measured & (whole >= 1) & (np.abs(self.quantity - whole) < 1e-9)
        return np.where(counted, whole, 1.0)

    @property
    def gathered(self) -> Bools:
        """Lines that belong to a redundancy group; a line with `k` and no group is one of its own."""
        return (self.group >= 0) | (self.k > 0) | self.standby


@dataclass(frozen=True, slots=True)
class Sources:
    """Who makes a part for whom, one supply row each; every array has the shape (rows,)."""

    part: Ints
    maker: Ints
    customer: Ints
    """-1 where the row does not say for whom."""
    share: Floats
    """Of the customer's demand; nan where unknown: such rows divide what the others leave."""

    @classmethod
    def of(cls, part: object, maker: object, customer: object = UNKNOWN, share: object = np.nan) -> "Sources":
        """Rows from values that broadcast to one shape."""
        kinds = (np.int64, np.int64, np.int64, np.float64)
        values = (part, maker, customer, share)
        columns = np.broadcast_arrays(*(np.asarray(v, t) for v, t in zip(values, kinds, strict=True)))
        return cls(*(np.atleast_1d(column).copy() for column in columns))


@dataclass(frozen=True, slots=True)
class Reached:
    """What lies under a product. Nodes are states, below `Sourcing.states`, and choices, from there on.

    `parent`, `line` and `target`, of one shape, are the lines of the reached states: a state, a row of
    `Sourcing.lines`, and the state or choice that fills it. `root` is the first node asked for. `pooled` are parts
    whose makers were taken from all customers' rows, `guessed` parts without supply rows whose makers are known from
    modes only, taken equally.
    """

    root: int
    states: Ints
    choices: Ints
    parent: Ints
    line: Ints
    target: Ints
    pooled: Ints
    guessed: Ints


@dataclass(frozen=True)
class Sourcing:
    """States and choices of a whole world, ready to be walked from any product.

    `makes_part`, `makes_maker` tell of makers known otherwise (by failure records, say). A state is (part, maker), the
    maker -1 where nobody knows. A choice is all rows of one part for one customer, or, *pooled*, all rows of the part.
    """

    parts: int
    organisations: int
    lines: Lines
    """Sorted by parent."""
    sources: Sources
    line_ptr: Ints
    state_part: Ints
    state_maker: Ints
    choice_part: Ints
    choice_customer: Ints
    """-2 for a pooled choice."""
    row_choice: Ints
    """Rows of choices, sorted by choice, their source row (-1 for a guessed maker), state and share of the choice."""
    row_source: Ints
    row_state: Ints
    row_share: Floats
    uneven: Bools
    """Choices whose known shares do not add up to 1."""
    guessed: Bools
    """Per part: no supply row, makers known from elsewhere."""

    @classmethod
    def of(
        cls,
        parts: int,
        organisations: int,
        lines: Lines,
        sources: Sources,
        makes_part: Ints | None = None,
        makes_maker: Ints | None = None,
    ) -> "Sourcing":
        """Index lines and sources."""
        none = np.zeros(0, np.int64)
        lines = lines.take(np.argsort(lines.parent, kind="stable"))
        extra = np.unique(
            _key(
                none if makes_part is None else makes_part, none if makes_maker is None else makes_maker, organisations
            )
        )
        extra_part, extra_maker = _split(extra, organisations)
        extra_part, extra_maker = extra_part[extra_maker >= 0], extra_maker[extra_maker >= 0]
        states = np.unique(
            np.concatenate(
                [
                    _key(sources.part, sources.maker, organisations),
                    _key(extra_part, extra_maker, organisations),
                    _key(np.arange(parts), np.full(parts, UNKNOWN), organisations),
                ]
            )
        )
        supplied = np.zeros(parts, np.bool_)
        supplied[sources.part] = True
        guessed = np.zeros(parts, np.bool_)
        guessed[extra_part] = True
        guessed &= ~supplied

        share, uneven_row = _filled(sources, organisations)
        own = np.flatnonzero(sources.customer >= 0)
        guess = np.flatnonzero(guessed[extra_part])
        part = np.concatenate([sources.part[own], sources.part, extra_part[guess]])
        maker = np.concatenate([sources.maker[own], sources.maker, extra_maker[guess]])
        customer = np.concatenate([sources.customer[own], np.full(len(sources.part) + len(guess), POOLED)])
        weight = np.concatenate([share[own], share, np.ones(len(guess))])
        row = np.concatenate([own, np.arange(len(share)), np.full(len(guess), -1)])
        uneven = np.concatenate([uneven_row[own], np.zeros(len(share) + len(guess), np.bool_)])

        order = np.lexsort((row, maker, customer, part))
        part, maker, customer, weight, row, uneven = (a[order] for a in (part, maker, customer, weight, row, uneven))
        new = np.ones(len(part), np.bool_)
        new[1:] = (part[1:] != part[:-1]) | (customer[1:] != customer[:-1])
        choice = np.cumsum(new) - 1
        count = int(new.sum())
        total = np.bincount(choice, weight, count)
        empty = total <= 0
        weight = np.where(empty[choice], 1.0, weight)
        total = np.bincount(choice, weight, count)
        return cls(
            parts=parts,
            organisations=organisations,
            lines=lines,
            sources=sources,
            line_ptr=pointers(lines.parent, parts),
            state_part=_split(states, organisations)[0],
            state_maker=_split(states, organisations)[1],
            choice_part=part[new],
            choice_customer=customer[new],
            row_choice=choice,
            row_source=row,
            row_state=np.searchsorted(states, _key(part, maker, organisations)),
            row_share=weight / total[choice],
            uneven=np.bincount(choice, uneven, count) > 0,
            guessed=guessed,
        )

    @property
    def states(self) -> int:
        """How many states there are: choice c is the node `states + c`."""
        return len(self.state_part)

    @cached_property
    def row_ptr(self) -> Ints:
        """Rows of each choice."""
        return pointers(self.row_choice, len(self.choice_part))

    @cached_property
    def _state_key(self) -> Ints:
        return _key(self.state_part, self.state_maker, self.organisations)

    @cached_property
    def _choice_key(self) -> Ints:
        return _key(self.choice_part, self.choice_customer, self.organisations)

    @cached_property
    def _anybody(self) -> tuple[Ints, Bools]:
        """Per part, for whoever has no rows of its own: the pooled choice, else the unknown maker; several makers."""
        every = np.arange(self.parts)
        node = self.state(every, np.full(self.parts, UNKNOWN))
        pooled = np.flatnonzero(self.choice_customer == POOLED)
        part = self.choice_part[pooled]
        node[part] = pooled + self.states
        several = np.zeros(self.parts, np.bool_)
        makers = distinct(self.row_choice, self.row_state)[0]
        several[part] = np.bincount(self.row_choice[makers], minlength=len(self.choice_part))[pooled] > 1
        return node, several

    def state(self, part: Ints, maker: Ints) -> Ints:
        """The states (part, maker), -1 where there is none."""
        return _find(self._state_key, _key(part, maker, self.organisations))

    def resolve(self, part: Ints, customer: Ints) -> tuple[Ints, Bools]:
        """The node that fills a need of `customer` for `part`, and whether it is pooled over customers.

        Shares: the rows for the customer; else, if the customer makes the part itself, itself; else all customers'
        rows; else the makers known from elsewhere, equally; else the state of an unknown maker.
        """
        node = np.full(len(part), -1)
        need = np.flatnonzero(customer >= 0)
        own = _find(self._choice_key, _key(part[need], customer[need], self.organisations))
        node[need] = np.where(own >= 0, own + self.states, -1)
        need = need[own < 0]
        node[need] = self.state(part[need], customer[need])
        need = np.flatnonzero(node < 0)
        node[need] = self._anybody[0][part[need]]
        pooled = np.zeros(len(part), np.bool_)
        pooled[need] = self._anybody[1][part[need]]
        return node, pooled

    def root(self, product: int, maker: int | None = None) -> int:
        """The node of a product: made by `maker`, or as its own supply rows share it.

        Raises StructureError `maker_unknown` when nothing tells that the maker makes it.
        """
        one = np.array([product])
        if maker is None:
            return int(self.resolve(one, np.array([UNKNOWN]))[0][0])
        state = int(self.state(one, np.array([maker]))[0])
        if state < 0:
            raise StructureError(
                "maker_unknown", "nothing recorded says that this organisation makes this part", (product,)
            )
        return state

    def walk(self, root: int, *others: int, spare: bool = False) -> Reached:
        """Everything under one or more nodes, each state and choice once, in breadth-first waves.

        `spare`: also the sources of share 0, which a product does not hold and which could make it.
        """
        n = self.states
        seen = np.zeros(n + len(self.choice_part), np.bool_)
        wave = np.unique(np.array([root, *others]))
        seen[wave] = True
        found: list[tuple[Ints, Ints, Ints, Bools]] = []
        while len(wave):
            state, choice = wave[wave < n], wave[wave >= n] - n
            owner, line = entries(self.line_ptr, self.state_part[state])
            target, pooled = self.resolve(self.lines.child[line], self.state_maker[state][owner])
            found.append((state[owner], line, target, pooled))
            row = entries(self.row_ptr, choice)[1]
            following = np.concatenate([target, self.row_state[row if spare else row[self.row_share[row] > 0]]])
            wave = np.unique(following[~seen[following]])
            seen[wave] = True
        parent, line, target, pooled = (np.concatenate(column) for column in zip(*found, strict=True))
        states, choices = np.flatnonzero(seen[:n]), np.flatnonzero(seen[n:])
        used = np.unique(self.choice_part[choices])
        return Reached(
            root=root,
            states=states,
            choices=choices,
            parent=parent,
            line=line,
            target=target,
            pooled=np.setdiff1d(self.lines.child[line[pooled]], np.flatnonzero(self.guessed)),
            guessed=used[self.guessed[used]],
        )


POOLED = -2
"""In place of a customer: rows for all customers."""


def _key(part: Ints, organisation: Ints, organisations: int) -> Ints:
    return part * np.int64(organisations + 2) + organisation + 2


def _split(key: Ints, organisations: int) -> tuple[Ints, Ints]:
    part, organisation = np.divmod(key, organisations + 2)
    return part, organisation - 2


def _find(table: Ints, wanted: Ints) -> Ints:
    """Positions of `wanted` in the sorted `table`, -1 where absent."""
    if not len(table):
        return np.full(len(wanted), -1)
    at = np.minimum(np.searchsorted(table, wanted), len(table) - 1)
    return np.where(table[at] == wanted, at, -1)


def _filled(sources: Sources, organisations: int) -> tuple[Floats, Bools]:
    """Shares with unknown ones filled in per (part, customer), and rows of customers whose known shares miss 1.

    Unknown shares divide equally what the known ones leave of 1; where they leave nothing they are 0, and where all
    are unknown they are equal.
    """
    if not len(sources.part):
        return sources.share, np.zeros(0, np.bool_)
    group = np.unique(_key(sources.part, sources.customer, organisations), return_inverse=True)[1]
    unknown = np.isnan(sources.share)
    known_sum = np.bincount(group, np.where(unknown, 0.0, sources.share))
    unknowns = np.bincount(group, unknown)
    rest = np.maximum(1 - known_sum, 0.0) / np.maximum(unknowns, 1)
    share = np.where(unknown, rest[group], sources.share)
    off = np.abs(np.bincount(group, share) - 1) > 1e-6
    return share, off[group]
