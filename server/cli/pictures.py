"""Pictures as SVG: drawn by lets-plot, the same text every time for the same data, legible in both languages."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any
from xml.sax.saxutils import escape

import lets_plot as lp
import numpy as np

from analytics.life.plots import Axis, Layer, Picture
from analytics.life.rows import Floats
from schema.text import Text

WIDTH, HEIGHT = 800, 560
"""Size in pixels; it scales to where it is shown."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours that the colour-blind tell apart (Okabe and Ito, Color Universal Design, 2008)."""
SHAPES = (16, 17, 15, 4, 1, 2, 0)
"""Shapes of points, one with each colour: a picture printed in grey can still be read."""
DOT = 46
"""The shape of what has no points: all but nothing."""

LEGEND = 112
"""Latin letters that fit in a line of the legend."""

FONTS = (
    "'Noto Sans', 'Noto Sans CJK SC', 'Source Han Sans SC', 'PingFang SC', 'Microsoft YaHei', 'WenQuanYi Micro Hei', "
    "SimHei, Arial, sans-serif"
)
INK, GREY, GRID = "#222222", "#555555", "#E6E6E6"
RUG = 0.022
"""Length of the ticks along the axis, as a share of the picture's height."""
ROOM = 0.03
"""Room at the ends of an axis, as a share of its length."""


def svg(picture: Picture, locale: str) -> str:
    """The picture as an SVG document, its texts in one language."""
    names = _names(picture)
    corners = {"x": list(_seen(picture.x)), "y": list(_seen(picture.y))}
    plot = lp.ggplot() + lp.geom_blank(lp.aes("x", "y"), data=corners)  # axes also where there is nothing to show
    for kind in ("band", "line", "steps", "points", "rug"):
        for layer in picture.layers:
            if layer.kind == kind and layer.x:
                plot += _drawn(layer, picture, locale)
    labels = [name.say(locale) for name in names]
    colours = [COLOURS[at % len(COLOURS)] for at in range(len(labels))]
    pointed = {layer.name for layer in picture.layers if layer.kind == "points"}
    shapes = [SHAPES[at % len(SHAPES)] if name in pointed else DOT for at, name in enumerate(names)]
    rows = lp.guide_legend(ncol=max(1, min(len(labels), LEGEND // max((_width(each) for each in labels), default=1))))
    plot += lp.guides(color=rows, shape=rows)
    plot += lp.scale_color_manual(values=colours, limits=labels, name="")
    plot += lp.scale_fill_manual(values=colours, limits=labels, name="")
    plot += lp.scale_shape_manual(values=shapes, limits=labels, name="")
    plot += _scale(lp.scale_x_continuous, picture.x, locale) + _scale(lp.scale_y_continuous, picture.y, locale)
    plot += lp.coord_cartesian(xlim=list(_seen(picture.x)), ylim=[_foot(picture), _seen(picture.y)[1]])
    subtitle, note = (text.say(locale) if text else None for text in (picture.subtitle, picture.note))
    plot += lp.labs(title=picture.title.say(locale), subtitle=subtitle, caption=note)
    plot += _theme(legend=len(labels) > 1) + lp.ggsize(WIDTH, HEIGHT)
    return _settled(plot.to_svg(), picture, locale)


def _names(picture: Picture) -> list[Text]:
    """What has a line in the legend, in order."""
    return list(dict.fromkeys(layer.name for layer in picture.layers if layer.x))


def _width(text: str) -> int:
    """About how wide a name is in the legend, in Latin letters; a Chinese character is as wide as two."""
    return sum(1 + (unicodedata.east_asian_width(each) in "WF") for each in text) + 7


def _drawn(layer: Layer, picture: Picture, locale: str) -> Any:
    """One layer, in the places of its axes: the ticks carry the values. What has no place there is left out."""
    bottom, top = _seen(picture.y)
    names = _names(picture)
    reach = (bottom - (top - bottom), top + (top - bottom))  # what goes further is cut there
    columns: dict[str, Floats] = {"x": picture.x.place(layer.x)}
    columns |= {
        name: np.clip(picture.y.place(values), *reach)
        for name, values in (("y", layer.y), ("low", layer.low), ("high", layer.high))
        if values
    }
    if layer.kind == "rug":
        length = RUG * (top - bottom)
        foot = _foot(picture) + length * [each.name for each in _rugs(picture)].index(layer.name)
        columns |= {"low": np.full(len(layer.x), foot), "high": np.full(len(layer.x), foot + 0.8 * length)}
    data = _finite(columns, layer.name.say(locale))
    if len(data["x"]) < (1 if layer.kind in {"points", "rug"} else 2):
        return lp.geom_blank()
    by_name: dict[str, Any] = {"data": data, "show_legend": layer.kind not in {"rug", "band"}, "sampling": "none"}
    if layer.kind == "rug":
        return lp.geom_segment(lp.aes("x", "low", xend="x", yend="high", color="name"), alpha=0.65, size=0.5, **by_name)
    if layer.kind == "band":
        alpha = 0.16 if len(names) > 1 else 0.2
        return lp.geom_ribbon(lp.aes("x", ymin="low", ymax="high", fill="name"), alpha=alpha, size=0, **by_name)
    if layer.kind == "line":
        return lp.geom_line(lp.aes("x", "y", color="name"), size=1.1, **by_name)
    if layer.kind == "steps":
        return lp.geom_step(lp.aes("x", "y", color="name"), size=0.9, **by_name)
    drawn = lp.geom_point(lp.aes("x", "y", color="name", shape="name"), size=3.2, alpha=0.85, **by_name)
    if layer.low:
        drawn = lp.geom_linerange(lp.aes("x", ymin="low", ymax="high", color="name"), size=0.7, **by_name) + drawn
    return drawn


def _finite(columns: dict[str, Floats], name: str) -> dict[str, Any]:
    """The rows all of whose values are finite."""
    kept = np.all([np.isfinite(column) for column in columns.values()], axis=0)
    return {**{key: column[kept] for key, column in columns.items()}, "name": [name] * int(kept.sum())}


def _rugs(picture: Picture) -> list[Layer]:
    return [layer for layer in picture.layers if layer.kind == "rug" and layer.x]


def _seen(axis: Axis) -> tuple[float, float]:
    """What is seen of an axis, with a little room at its ends."""
    low, high = (float(end) for end in axis.place([axis.low, axis.high]))
    room = ROOM * (high - low)
    return low - room, high + room


def _foot(picture: Picture) -> float:
    """Where the lowest rug stands: below all else."""
    low, high = _seen(picture.y)
    return low - RUG * (high - low) * len(_rugs(picture))


def _scale(made: Any, axis: Axis, locale: str) -> Any:
    places = axis.place([tick.at for tick in axis.ticks]).tolist()
    return made(name=axis.text.say(locale), breaks=places, labels=[t.label for t in axis.ticks], expand=[0, 0])


def _theme(*, legend: bool) -> Any:
    def text(size: int, colour: str = INK, **more: Any) -> Any:
        return lp.element_text(size=size, color=colour, **more)

    return lp.theme_minimal() + lp.theme(
        plot_title=text(19, face="bold"),
        plot_subtitle=text(13, GREY),
        plot_caption=text(12, GREY, hjust=0, margin=[8, 0, 0, 0]),
        axis_title=text(14),
        axis_text=text(12, GREY),
        legend_text=text(13),
        legend_key_spacing_x=14,
        legend_title=lp.element_blank(),
        legend_position="bottom" if legend else "none",
        panel_grid_major=lp.element_line(color=GRID, size=0.7),
        panel_grid_minor=lp.element_blank(),
        axis_line=lp.element_line(color="#888888", size=0.8),
        plot_margin=[12, 18, 8, 10],
    )


_IDS = re.compile(r'\bid="([^"]+)"')
_TAG = re.compile(r"<[^>]+>")
_LONG = re.compile(r"-?\d+\.\d{3,}(E-?\d+)?")
"""More digits of a place than can be seen."""
_UNUSED = re.compile(r"#\w+ \.[\w-]*tooltip[\w-]* \{[^}]*\}\s*|\s+(-\w+-)?user-select: none;")
"""Styles of tooltips, which a file has not; and texts may be copied."""


def _settled(text: str, picture: Picture, locale: str) -> str:
    """A drawing with names of its own instead of random ones, a title and a description, and fonts with Chinese."""
    text = _TAG.sub(lambda tag: _LONG.sub(lambda number: f"{float(number[0]):.2f}", tag[0]), _UNUSED.sub("", text))
    found = list(dict.fromkeys(_IDS.findall(text)))
    for at, name in enumerate(found):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", f"@{at}@", text)
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    for at in range(len(found)):
        text = text.replace(f"@{at}@", f"p{mark}-{at}")
    texts = [picture.subtitle, picture.x.text, picture.y.text, picture.note]
    described = " | ".join(said.say(locale) for said in texts if said)
    opened = f'<svg role="img" aria-labelledby="p{mark}-title p{mark}-desc" viewBox="0 0 {WIDTH} {HEIGHT}" '
    spoken = (
        f'  <title id="p{mark}-title">{escape(picture.title.say(locale))}</title>\n'
        f'  <desc id="p{mark}-desc">{escape(described)}</desc>\n'
    )
    head, body = text.replace("<svg ", opened, 1).split(">", 1)
    return f"{head}>\n{spoken}{body.lstrip(chr(10))}".replace("font-family: sans-serif", f"font-family: {FONTS}")
