"""What things are called in texts: codes with names, in both languages, and ways through the bill of materials."""

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import waves
from analytics.labels import called
from chaingraph.view import View
from schema import Text


class Names:
    """Names of the things of a view; what the view does not have is called by its key."""

    def __init__(self, view: View) -> None:
        self._view = view

    def of(self, kind: str, key: str | None) -> Text:
        """Code and name of the thing `key` of a kind; a region is called by its code."""
        return Text(str(key), str(key)) if kind == "region" else called(self._view, kind, key)

    def part(self, key: str | None) -> Text:
        """Number and name of a part."""
        return self.of("part", key)

    def maker(self, key: str | None) -> Text:
        """Id and name of an organisation."""
        return self.of("organisation", key)

    def mode(self, key: str | None) -> Text:
        """A failure mode; all of them where there is no key."""
        return Text("各模式合计", "all modes together") if key is None else self.of("mode", key)

    def lot(self, key: str) -> str:
        """The maker's code of a lot."""
        at = int(self._view.locate("lot", [key])[0])
        return str(self._view.table("lot")["code"][at]) if at >= 0 else key.rsplit("/", maxsplit=1)[-1]

    def places(self, product: str, part: str, most: int = 5) -> tuple[tuple[str, ...], ...]:
        """Ways from the product down to the part, shortest first, at most `most`; keys of parts, both ends included.

        Empty when there is none. A best-first search from below, by the distance from the product (Hart, Nilsson and
        Raphael, IEEE Transactions on Systems Science and Cybernetics 4, 1968).
        """
        view = self._view
        top, start = (int(at) for at in view.locate("part", [product, part]))
        if top < 0 or start < 0:
            return ()
        level = view.memo(("analytics.levels", top), lambda: _levels(view, top))
        if level[start] < 0:
            return ()
        keys, parents = view.table("part")["key"], view.ref("contains", "parent")
        lines = view.inverse("contains", "child")
        found: list[tuple[str, ...]] = []
        ways: list[tuple[int, tuple[int, ...]]] = [(int(level[start]), (start,))]
        while ways and len(found) < most:
            _, way = heappop(ways)
            if way[0] == top:
                found.append(tuple(keys[at] for at in way))
                continue
            rows, _ = lines.take(np.array([way[0]], np.int32))
            for at in np.unique(parents[rows]).tolist():
                if level[at] >= 0 and at not in way:
                    heappush(ways, (len(way) + int(level[at]), (at, *way)))
        return tuple(found)


def _levels(view: View, top: int) -> NDArray[np.int64]:
    """Lines on the shortest way from the part in row `top` down to each part, -1 where there is none: (parts + 1,)."""
    lines, child = view.inverse("contains", "parent"), view.ref("contains", "child")
    target = child[lines.rows].astype(np.int64)
    level = np.full(view.count("part") + 1, -1)  # one more: where references to nothing (-1) end
    ptr = np.append(lines.indptr, lines.indptr[-1])
    for number, wave in enumerate(waves(ptr, np.where(target < 0, len(level) - 1, target), np.array([top]))):
        level[wave] = number
    level[-1] = -1
    return level


def filled(text: Text, **values: Text | str) -> Text:
    """`text` with its marks filled in, each language from the same language."""
    zh = {name: v.zh if isinstance(v, Text) else v for name, v in values.items()}
    en = {name: v.en if isinstance(v, Text) else v for name, v in values.items()}
    return Text(text.zh.format(**zh), text.en.format(**en))


def listed(texts: list[Text]) -> Text:
    """Texts in a row."""
    return Text("、".join(text.zh for text in texts), ", ".join(text.en for text in texts))
