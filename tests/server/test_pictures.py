"""Pictures as SVG: well-formed, the same every time, in both languages, with every datum in its place."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from analytics.life import plots
from analytics.life.plots import Picture
from schema import Text
from server.cli import pictures
from server.cli.pictures import svg

SVG = "{http://www.w3.org/2000/svg}"


def picture(names: int = 1, points: int = 12) -> Picture:
    """A line, a band, points with and without bars, steps and a rug for each of some names."""
    share = (np.arange(points) + 0.7) / (points + 0.4)
    layers = []
    for at in range(names):
        name = Text(f"厂家 {at} <甲>", f"Maker {at} <A>")
        age = 5000 * (at + 1) * (-np.log1p(-share)) ** 0.5
        layers += [
            plots.band(name, age, share / 2, np.sqrt(share)),
            plots.line(name, age, share),
            plots.points(name, age, share),
            plots.rug(name, age * 1.1),
        ]
    return Picture(
        title=Text("概率图：轴承 & 座", "Probability plot: bearing & seat"),
        subtitle=Text("η = 5,000", "eta = 5,000"),
        note=Text("点：失效", "Points: failures"),
        x=plots.log_axis(Text("寿命（h）", "Age (h)"), [x for each in layers for x in each.x]),
        y=plots.probability_axis(Text("失效概率", "Share failed"), "weibull", share),
        layers=tuple(layers),
    )


def read(text: str) -> ET.Element:
    return ET.fromstring(text)


def texts(root: ET.Element) -> set[str]:
    return {(each.text or "").strip() for each in root.iter()}


def test_a_picture_is_well_formed_and_the_same_every_time() -> None:
    for names in (1, 3):
        first = svg(picture(names), "zh")
        assert svg(picture(names), "zh") == first
        root = read(first)
        assert root.tag == f"{SVG}svg"
        ids = [each.get("id") for each in root.iter() if each.get("id")]
        assert len(ids) == len(set(ids))
        for used in {each.get("clip-path", "")[5:-1] for each in root.iter() if "clip-path" in each.attrib}:
            assert used in ids


def test_pictures_on_one_page_do_not_take_each_others_styles() -> None:
    one, other = ({each.get("id") for each in read(svg(picture(n), "en")).iter() if each.get("id")} for n in (1, 2))
    assert not one & other


def test_the_texts_are_in_the_language_asked_and_told_to_a_screen_reader() -> None:
    chinese, english = (read(svg(picture(2), locale)) for locale in ("zh", "en"))
    assert {"概率图：轴承 & 座", "η = 5,000", "点：失效", "寿命（h）", "失效概率", "厂家 0 <甲>", "63.2 %"} <= texts(
        chinese
    )
    assert {"Probability plot: bearing & seat", "Age (h)", "Share failed", "Maker 1 <A>"} <= texts(english)
    assert not any("寿命" in text for text in texts(english))
    title, described = chinese.find(f"{SVG}title"), chinese.find(f"{SVG}desc")
    assert title is not None
    assert title.text == "概率图：轴承 & 座"
    assert described is not None
    assert "寿命（h）" in (described.text or "")
    assert chinese.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    assert "Noto Sans CJK SC" in svg(picture(), "zh")


def test_every_point_and_every_suspension_is_drawn_where_it_belongs() -> None:
    of = picture(1, 12)
    root = read(svg(of, "en"))
    circles = [(float(each.get("cx", "nan")), float(each.get("cy", "nan"))) for each in root.iter(f"{SVG}circle")]
    (drawn,) = (layer for layer in of.layers if layer.kind == "points")
    assert len(circles) == len(drawn.x) == 12
    x, y = np.array(circles).T
    for place, axis, values in ((x, of.x, drawn.x), (y, of.y, drawn.y)):
        slope, start = np.polyfit(axis.place(values), place, 1)
        assert place == pytest.approx(slope * axis.place(values) + start, abs=0.02)
    ticks = [each for each in root.iter(f"{SVG}line") if each.get("stroke-opacity") == "0.65"]
    assert len(ticks) == 12


def test_one_series_needs_no_legend_and_several_have_colours_of_their_own() -> None:
    assert "Maker 0 <A>" not in texts(read(svg(picture(1), "en")))
    drawn = svg(picture(3), "en")
    for colour in pictures.COLOURS[:3]:
        assert colour.lower() in drawn or "rgb({},{},{})".format(*bytes.fromhex(colour[1:])) in drawn


def test_bars_steps_and_dates_are_drawn_too() -> None:
    name = Text("累计", "Total")
    months = tuple(plots.Tick(at=float(at), label=f"2026-{at:02}") for at in (1, 2, 3))
    of = Picture(
        title=Text("预测", "Forecast"),
        x=plots.linear_axis(Text("月份", "Month"), [1, 3]).model_copy(update={"ticks": months}),
        y=plots.linear_axis(Text("件数", "Units"), [0, 9], zero=True),
        layers=(
            plots.points(name, [1, 2, 3], [1, 4, 6], [0, 2, 3], [2, 6, 9]),
            plots.line(name, [1, 2, 3], [1, 4, 6], steps=True),
        ),
    )
    root = read(svg(of, "zh"))
    assert {"2026-01", "2026-02", "2026-03", "件数"} <= texts(root)
    assert len(list(root.iter(f"{SVG}circle"))) == 3


@pytest.mark.parametrize("values", [[], [5.0], [1e-9, 1e9], [3.0, 3.0]])
def test_any_data_can_be_drawn_and_nothing_but_the_picture_is_said(
    values: list[float], capfd: pytest.CaptureFixture[str]
) -> None:
    name = Text("甲", "A")
    for x in (plots.log_axis(name, values), plots.linear_axis(name, values)):
        for y in (
            plots.probability_axis(name, "normal", [0.5] * len(values)),
            plots.linear_axis(name, [0.5] * len(values), zero=True),
        ):
            layers = (
                plots.points(name, values, [0.5] * len(values)),
                plots.line(name, values, [0.5] * len(values)),
                plots.band(name, values, [0.0] * len(values), [1.0] * len(values)),
                plots.rug(name, values),
            )
            read(svg(Picture(title=name, x=x, y=y, layers=layers), "zh"))
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


def test_ten_thousand_points_are_thinned_and_the_ends_stay() -> None:
    x = np.arange(1.0, 10_001.0)
    layer = plots.points(Text("甲", "A"), x, x / 10_001)
    assert len(layer.x) == plots.MOST
    assert (layer.x[0], layer.x[-1]) == (1.0, 10_000.0)
