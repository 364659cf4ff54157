"""The AND/OR rule of supply: a part can be made if all its inputs are there and any qualified source of each works.

Its greatest fixpoint says what is left when something is lost: everything works that is not forced to fail. Sixty-four
losses are computed in one word, so that all candidates of a large product take a few sweeps over arrays. Firms supply
each other in circles; (part, maker) states do not, and where data hold a circle all the same, sweeps are repeated until
nothing changes.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Bools, Ints, distinct, entries, heights, pointers
from analytics.sourcing import Sourcing

Words = NDArray[np.uint64]
"""Bits of candidates, 64 in a word: shape (nodes, words)."""

MEMORY = 32_000_000
"""Words that one sweep may hold: more candidates are done in turns."""


@dataclass(frozen=True)
class Network:
    """Who can make what under some products, as two kinds of nodes in turns.

    A *state* (part, maker) needs all its needs; a *need* (a part for a customer) is met by any of its options; an
    option is a state at a site in a region.
    """

    state_part: Ints
    state_maker: Ints
    state_ptr: Ints
    state_need: Ints
    """Needs of each state."""
    need_part: Ints
    need_ptr: Ints
    option_state: Ints
    """Options of each need."""
    option_site: Ints
    option_region: Ints
    option_row: Ints
    """Its supply row; -1 for what a firm makes itself, and for unknown makers."""
    roots: Ints
    """The need of each product asked for."""

    @classmethod
    def of(cls, sourcing: Sourcing, roots: list[int], site: Ints, site_region: Ints, maker_region: Ints) -> "Network":
        """The network under the nodes `roots` of `sourcing`, whose supply rows come from `site` (rows,), -1 unknown.

        `site_region` (sites,) and `maker_region` (organisations,) are region codes, -1 unknown; an option lies in its
        site's region, else its maker's.
        """
        found = sourcing.walk(*roots, spare=True)
        n = sourcing.states
        direct = np.unique(np.concatenate([found.target, np.array(roots, np.int64)]))
        direct = direct[direct < n]
        node = np.concatenate([found.choices + n, direct])  # needs: choices, then states that fill a need by themselves
        number = np.full(n + len(sourcing.choice_part), -1)
        number[node] = np.arange(len(node))
        state_number = np.full(n, -1)
        state_number[found.states] = np.arange(len(found.states))

        _, row = entries(sourcing.row_ptr, found.choices)
        counts = np.diff(sourcing.row_ptr)[found.choices]
        option = np.concatenate([sourcing.row_state[row], direct])
        source = np.concatenate([sourcing.row_source[row], np.full(len(direct), -1)])
        at = np.where(source >= 0, np.append(site, -1)[source], -1)
        maker = sourcing.state_maker[option]
        region = np.where(at >= 0, np.append(site_region, -1)[at], -1)
        region = np.where(region >= 0, region, np.append(maker_region, -1)[maker])

        above, below = state_number[found.parent], number[found.target]
        pair = distinct(above, below)[0]
        return cls(
            state_part=sourcing.state_part[found.states],
            state_maker=sourcing.state_maker[found.states],
            state_ptr=pointers(above[pair], len(found.states)),
            state_need=below[pair],
            need_part=np.concatenate([sourcing.choice_part[found.choices], sourcing.state_part[direct]]),
            need_ptr=np.concatenate([[0], np.cumsum(np.concatenate([counts, np.ones(len(direct), np.int64)]))]),
            option_state=state_number[option],
            option_site=at,
            option_region=region,
            option_row=source,
            roots=number[np.array(roots, np.int64)],
        )

    @property
    def option_maker(self) -> Ints:
        """The maker of each option, -1 where nobody knows."""
        return self.state_maker[self.option_state]

    @cached_property
    def option_need(self) -> Ints:
        """The need of each option."""
        return np.repeat(np.arange(len(self.need_part)), np.diff(self.need_ptr))

    @cached_property
    def height(self) -> Ints:
        """Of states, then needs: longest way down; -1 on or above a circle."""
        states = len(self.state_part)
        source = np.concatenate([np.repeat(np.arange(states), np.diff(self.state_ptr)), self.option_need + states])
        target = np.concatenate([self.state_need + states, self.option_state])
        return heights(states + len(self.need_part), source, target)

    @cached_property
    def sweeps(self) -> tuple[tuple[Ints, Ints], ...]:
        """(states, needs) to be computed together, in this order; whatever lies on a circle comes last."""
        states = len(self.state_part)
        height = np.where(self.height < 0, self.height.max(initial=0) + 1, self.height)
        order = np.argsort(height, kind="stable")
        ptr = pointers(height[order], int(height.max(initial=0)) + 1)
        waves = (order[a:b] for a, b in pairwise(ptr))
        return tuple((wave[wave < states], wave[wave >= states] - states) for wave in waves)

    @property
    def circular(self) -> bool:
        """Some state needs itself."""
        return bool(np.any(self.height < 0))

    def turns(self, candidates: int) -> int:
        """How many candidates one sweep should take."""
        words = max(1, MEMORY // max(1, len(self.state_need) + len(self.option_state)))
        return int(min(max(candidates, 1), 64 * words))


@dataclass(frozen=True, slots=True)
class Lost:
    """What each of some losses fails: a bit for each candidate, in words (nodes, words)."""

    states: Words
    needs: Words
    options: Words
    hit: Words
    """Options lost directly: their own maker, site or region is the candidate."""


def lost(network: Network, makers: Ints, sites: Ints, regions: Ints) -> Lost:
    """The greatest fixpoint after each single loss: bit i is the loss of makers[i], then sites, then regions.

    A candidate takes with it every state of that maker, or every option at that site or in that region.
    """
    count = len(makers) + len(sites) + len(regions)
    states = _bits(network.state_maker, makers, 0, count)
    hit = (
        _bits(network.option_maker, makers, 0, count)
        | _bits(network.option_site, sites, len(makers), count)
        | _bits(network.option_region, regions, len(makers) + len(sites), count)
    )
    needs = np.zeros((len(network.need_part), states.shape[1]), np.uint64)
    waves = network.sweeps
    for wave in waves:
        _sweep(network, wave, states, needs, hit)
    while network.circular:
        before = int(np.bitwise_count(states[waves[-1][0]]).sum()) + int(np.bitwise_count(needs[waves[-1][1]]).sum())
        _sweep(network, waves[-1], states, needs, hit)
        if before == np.bitwise_count(states[waves[-1][0]]).sum() + np.bitwise_count(needs[waves[-1][1]]).sum():
            break
    return Lost(states, needs, states[network.option_state] | hit, hit)


def _sweep(network: Network, wave: tuple[Ints, Ints], states: Words, needs: Words, hit: Words) -> None:
    state, need = wave
    _, entry = entries(network.state_ptr, state)
    if len(entry):
        some = state[np.diff(network.state_ptr)[state] > 0]
        start = _starts(network.state_ptr, some)
        states[some] |= np.bitwise_or.reduceat(needs[network.state_need[entry]], start, axis=0)
    if len(need):
        _, entry = entries(network.need_ptr, need)
        gone = states[network.option_state[entry]] | hit[entry]
        needs[need] = np.bitwise_and.reduceat(gone, _starts(network.need_ptr, need), axis=0)


def _starts(ptr: Ints, rows: Ints) -> Ints:
    counts = ptr[rows + 1] - ptr[rows]
    return np.asarray(np.cumsum(counts) - counts)


def _bits(code: Ints, candidates: Ints, first: int, count: int) -> Words:
    """For every row the bit of the candidate that its code is, if any."""
    out = np.zeros((len(code), max(1, -(-count // 64))), np.uint64)
    place = np.full(int(max(code.max(initial=-1), candidates.max(initial=-1))) + 2, -1)
    place[candidates] = first + np.arange(len(candidates))
    bit = place[code]
    rows = np.flatnonzero((bit >= 0) & (code >= 0))
    out[rows, bit[rows] // 64] = np.uint64(1) << (bit[rows] % 64).astype(np.uint64)
    return out


def has(words: Words, bit: int) -> Bools:
    """Rows with the bit of one candidate."""
    return (words[:, bit // 64] >> np.uint64(bit % 64)) & np.uint64(1) > 0
