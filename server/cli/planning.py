"""`plan-test`: how many units, how long, how many failures allowed, to show a reliability; or what to test next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NoReturn

import click

from schema.text import Text
from server.cli import output
from server.cli.command import command, option
from server.cli.session import Session

if TYPE_CHECKING:
    from analytics.life.planning import Plan, Target


class Finite(click.FloatRange):
    """A range of numbers; what is none, or infinite, is outside."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is not a number.", param, ctx)
        return found


SHARE = Finite(0, 1, min_open=True, max_open=True)
POSITIVE = Finite(0, min_open=True)
TARGETS = ("reliability", "mtbf", "b_life", "product")
"""What is asked: one of these."""
ALLOWED = (0, 1, 2, 3)
"""Failures allowed in the plans that are shown."""

PROVES = {
    "reliability": Text(
        "通过即以 {confidence} 的置信度证明：寿命 {age} 处的可靠度不低于 {value}。",
        "Passing shows with {confidence} confidence that the reliability at age {age} is at least {value}.",
    ),
    "mtbf": Text(
        "通过即以 {confidence} 的置信度证明：平均寿命（MTBF）不低于 {value}。",
        "Passing shows with {confidence} confidence that the mean life (MTBF) is at least {value}.",
    ),
    "b_life": Text(
        "通过即以 {confidence} 的置信度证明：{share} 失效的寿命不低于 {value}。",
        "Passing shows with {confidence} confidence that the age by which {share} fail is at least {value}.",
    ),
}
TEST = Text(
    "{units} 件，每件试验 {hours}，失效不超过 {failures} 次。",
    "{units} units, {hours} each, failures allowed: {failures}. ",
)
REPLACED = Text(
    "失效件修复或更换，合计试验 {total}。", "Failed units are repaired or replaced; {total} on test altogether. "
)
LIKELY = Text(
    "若真值恰为目标，通过的机会为 {chance}。", " If the true value is just the target, the chance to pass is {chance}."
)
REFUSALS = {
    "one": Text(
        "请给出 --reliability、--mtbf、--b-life、--product 之一。",
        "Give one of --reliability, --mtbf, --b-life and --product.",
    ),
    "mission": Text("请用 --mission 给出任务时长。", "Say how long with --mission."),
    "mission_too_many": Text(
        "--mission 只与 --reliability 或 --product 同用。", "--mission goes with --reliability or --product only."
    ),
    "share": Text("--share 只与 --b-life 同用。", "--share goes with --b-life only."),
    "both": Text("--units 与 --hours 只能给出一个。", "Give --units or --hours, not both: the other follows."),
    "shape": Text(
        "要以件数换时长，须用 --shape 给出威布尔形状参数。",
        "To trade units for hours the Weibull shape must be given with --shape.",
    ),
    "too_few": Text("件数须多于允许的失效数。", "There must be more units than failures allowed."),
    "too_many": Text("所需件数或时长过大，无法安排试验。", "No test is that large: the target is too high."),
    "good": Text("--good 须优于目标值。", "--good must be better than the target."),
    "good_needs": Text(
        "--good 只与 --mtbf（恒定失效率）或 --reliability 同用，不与 --units、--failures 同用。",
        "--good goes with --mtbf at a constant rate or --reliability, and without --units and --failures.",
    ),
    "producer": Text("--producer 与 --good 同用。", "--producer goes with --good."),
    "only_plans": Text(
        "{options} 不与 --product 同用。", "{options} do not go with --product."
    ),
}  # fmt: skip


@command(
    "plan-test",
    zh=(
        "安排可靠性验证试验：允许 0～3 次失效时的件数与时长、抽检特性曲线，以及通过试验证明了什么。\n\n"
        "给出 --product 时，列出再做哪项试验最能缩小产品可靠度的区间。"
    ),
    en=(
        "Plan a test that shows a reliability, a mean life or a B-life: units and hours with 0 to 3 failures allowed, "
        "the chance to pass, and what passing proves.\n\n"
        "With --product: which maker's part another test would tell most of."
    ),
    params=[
        option("--reliability", zh="要证明的可靠度。", en="Reliability to be shown.", type=SHARE, metavar="R"),
        option(
            "--mission", zh="任务时长（与 --reliability 或 --product 同用）。",
            en="Age at which, with --reliability; or the product's mission.", type=POSITIVE, metavar="T",
        ),
        option("--mtbf", zh="要证明的平均寿命。", en="Mean life to be shown.", type=POSITIVE, metavar="M"),
        option(
            "--b-life", zh="要证明的 B 寿命。", en="Age to be shown by which a share fails.", type=POSITIVE,
            metavar="L",
        ),
        option(
            "--share", zh="B 寿命的失效比例；缺省 0.1。", en="That share; 0.1 if not given.", type=SHARE, metavar="P",
        ),
        option("--confidence", zh="置信度；缺省 0.9。", en="Confidence; 0.9 if not given.", type=SHARE, metavar="C"),
        option(
            "--shape", zh="威布尔形状参数，已知时。", en="The Weibull shape, where it is known.", type=POSITIVE,
            metavar="B",
        ),
        option(
            "--failures", zh="允许的失效数；缺省列出 0～3。", en="Failures allowed; 0 to 3 are shown if not given.",
            type=click.IntRange(0, 1000), metavar="N",
        ),
        option("--units", zh="试验件数。", en="Units on test.", type=click.IntRange(1, 10**9), metavar="N"),
        option("--hours", zh="每件试验时长。", en="How long each is tested.", type=POSITIVE, metavar="H"),
        option(
            "--af", zh="加速系数；缺省 1。", en="Acceleration factor: ages for each hour on test; 1 if not given.",
            type=POSITIVE, metavar="F",
        ),
        option(
            "--good", zh="应当通过的真值：另给出双方风险的方案。", type=POSITIVE, metavar="VALUE",
            en="A true value that should pass: add the plan that keeps both risks.",
        ),
        option("--producer", zh="其被拒收的风险；缺省 0.1。", en="Risk that it fails; 0.1 if not given.", type=SHARE),
        option(
            "--product", zh="产品：列出试验收益。", en="A product: what further tests would tell.", metavar="PRODUCT",
        ),
    ],
)  # fmt: skip
def plan_test(session: Session, **given: Any) -> None:
    """Plans for a target, or the analysis test_gains."""
    asked = {name: value for name, value in given.items() if value is not None}
    if sum(name in asked for name in TARGETS) != 1:
        _refuse(session, "one")
    if "product" in asked:
        _gains(session, asked)
        return
    target = _target(session, asked)
    confidence = asked.get("confidence", 0.9)
    made = _plans(session, target, confidence, asked)
    texts = {at: _proves(plan) for at, plan in enumerate(made)}
    curve = [row for plan in made for row in _characteristic(plan)]
    risks = _two_risks(session, target, confidence, asked)
    payload = {
        "target": {
            "quantity": target.quantity, "value": target.value, "age": target.age, "share": _share(target),
            "shape": target.shape, "confidence": confidence,
        },
        "plans": [{**_row(plan), "text": session.say(texts[at])} for at, plan in enumerate(made)],
        "operating_characteristic": curve,
        "two_risks": risks,
    }  # fmt: skip
    headings = [
        Text("允许失效", "Failures allowed"), Text("件数", "Units"), Text("每件时长", "Hours each"),
        Text("合计时长", "Total hours"), Text("可证明", "Demonstrates"), Text("说明", "What passing proves"),
    ]  # fmt: skip
    rows = [[*list(_row(plan).values())[:5], session.say(texts[at])] for at, plan in enumerate(made)]
    session.answer(payload, [session.say(each) for each in headings], rows)
    if session.format == "table":
        _show_curve(session, made)
        if risks:
            output.line(_said_two_risks(session, risks))


def _share(target: Target) -> float | None:
    """The share of a B-life."""
    return target.share if target.quantity == "b_life" else None


def _refuse(session: Session, why: str, **values: str) -> NoReturn:
    raise click.UsageError(session.say(REFUSALS[why].format(**values)))


def _gains(session: Session, asked: dict[str, Any]) -> None:
    """The analysis test_gains."""
    from analytics import ANALYSES
    from server.cli.analyses import answer

    if others := sorted(set(asked) - {"product", "mission", "units", "hours"}):
        _refuse(session, "only_plans", options=", ".join("--" + each.replace("_", "-") for each in others))
    if "mission" not in asked:
        _refuse(session, "mission")
    answer(session, ANALYSES["test_gains"], asked)


def _target(session: Session, asked: dict[str, Any]) -> Target:
    """What is to be shown; wrong combinations are refused."""
    from analytics.life.planning import Target

    if "reliability" in asked and "mission" not in asked:
        _refuse(session, "mission")
    if "mission" in asked and "reliability" not in asked:
        _refuse(session, "mission_too_many")
    if "share" in asked and "b_life" not in asked:
        _refuse(session, "share")
    if "units" in asked and "hours" in asked:
        _refuse(session, "both")
    if "producer" in asked and "good" not in asked:
        _refuse(session, "producer")
    shape = asked.get("shape")
    if "reliability" in asked:
        return Target("reliability", asked["reliability"], asked["mission"], shape=shape)
    if "mtbf" in asked:
        return Target("mtbf", asked["mtbf"], asked["mtbf"], shape=shape)
    return Target("b_life", asked["b_life"], asked["b_life"], asked.get("share", 0.1), shape)


def _plans(session: Session, target: Target, confidence: float, asked: dict[str, Any]) -> list[Plan]:
    from analytics.life.planning import plans

    factor, units, hours = asked.get("af", 1.0), asked.get("units"), asked.get("hours")
    if target.shape is None and not target.total and (units is not None or hours not in {None, target.age / factor}):
        _refuse(session, "shape")
    allowed = ALLOWED if "failures" not in asked else (asked["failures"],)
    made = plans(target, confidence, allowed, units, hours, factor)
    if not made:
        _refuse(session, "too_few" if units is not None else "too_many")
    return made


def _row(plan: Plan) -> dict[str, Any]:
    """A plan as JSON values."""
    from analytics.core import digits

    return {
        "failures": plan.failures,
        "units": plan.units,
        "hours_each": digits(plan.hours_each),
        "total_hours": digits(plan.total_hours),
        "demonstrates": digits(plan.demonstrates),
        "quantity": plan.target.quantity,
        "confidence": plan.confidence,
        "expected_hours": digits(plan.expected_hours(plan.target.value)),
    }


def _proves(plan: Plan) -> Text:
    """A plan and what passing it proves, in words."""
    from analytics.findings import number

    target = plan.target
    values = {
        "units": str(plan.units), "hours": number(plan.hours_each), "failures": str(plan.failures),
        "total": number(plan.total_hours), "confidence": f"{plan.confidence:.4g}", "age": number(target.age),
        "value": f"{plan.demonstrates:.4f}" if target.quantity == "reliability" else number(plan.demonstrates),
        "share": f"{target.share:.4g}", "chance": f"{float(plan.passes(target.value)):.3f}",
    }  # fmt: skip
    texts = [TEST, *([REPLACED] if target.total else []), PROVES[target.quantity], LIKELY]
    said = [each.format(**values) for each in texts]
    return Text("".join(each.zh for each in said), "".join(each.en for each in said))


def _characteristic(plan: Plan) -> list[dict[str, Any]]:
    """The operating characteristic of a plan as JSON values, the best true value first."""
    from analytics.core import digits
    from analytics.life.planning import characteristic

    return [
        {
            "failures": plan.failures,
            "units": plan.units,
            "hours_each": digits(plan.hours_each),
            "true": digits(value),
            "pass": digits(chance),
            "expected_hours": digits(plan.expected_hours(value)),
        }
        for value, chance in zip(*(each.tolist() for each in characteristic(plan)), strict=True)
    ]


def _show_curve(session: Session, made: list[Plan]) -> None:
    """The chances to pass, a column for each number of failures allowed."""
    from analytics.life.planning import characteristic

    first: dict[int, Plan] = {}
    for plan in made:
        first.setdefault(plan.failures, plan)
    chances = [characteristic(plan) for plan in first.values()]
    headings = [session.say(Text("真值", "True value"))]
    headings += [
        session.say(Text(f"{plan.failures} 次、{plan.units} 件", f"{plan.failures} failures, {plan.units} units"))
        for plan in first.values()
    ]
    rows = [[value, *(each[1][at] for each in chances)] for at, value in enumerate(chances[0][0])]
    output.line()
    title = session.say(Text("通过的机会（抽检特性）", "Chance to pass (operating characteristic)"))
    output.table(headings, [[float(cell) for cell in row] for row in rows], title)


def _two_risks(session: Session, target: Target, confidence: float, asked: dict[str, Any]) -> dict[str, Any] | None:
    """The smallest test that keeps both risks, and at a constant rate its sequential test; None where not asked for."""
    if "good" not in asked:
        return None
    from analytics.core import digits
    from analytics.life import planning

    simple = target.total or target.quantity == "reliability"
    if not simple or "units" in asked or "failures" in asked:
        _refuse(session, "good_needs")
    good, producer, factor = asked["good"], asked.get("producer", 0.1), asked.get("af", 1.0)
    if not good > target.value or (target.quantity == "reliability" and good >= 1):
        _refuse(session, "good")
    try:
        if target.total:
            hours, failures = planning.fixed_length(target.value, good, 1 - confidence, producer)
            lines = planning.sequential(target.value, good, 1 - confidence, producer)
            return {
                "failures": failures,
                "units": None,
                "total_hours": digits(hours / factor),
                "good": good,
                "consumer_risk": digits(1 - confidence),
                "producer_risk": digits(float(1 - planning.passes_total(good, hours, failures))),
                "sequential": {
                    "slope": digits(lines.slope / factor),
                    "accept": digits(lines.accept / factor),
                    "reject": digits(lines.reject / factor),
                },
            }
        hours = asked.get("hours", target.age / factor) * factor
        low, high = (float(planning.at_age(r, target.age, hours, target.beta)) for r in (target.value, good))
        units, failures = planning.two_risks(low, high, confidence, producer)
    except ValueError:
        _refuse(session, "too_many")
    return {
        "failures": failures,
        "units": units,
        "total_hours": digits(units * hours / factor),
        "good": good,
        "consumer_risk": digits(float(planning.passes(low, units, failures))),
        "producer_risk": digits(float(1 - planning.passes(high, units, failures))),
        "sequential": None,
    }


def _said_two_risks(session: Session, found: dict[str, Any]) -> str:
    """The plan of both risks, in words."""
    from analytics.findings import number

    units = "" if found["units"] is None else session.say(Text(f"{found['units']} 件，", f"{found['units']} units, "))
    return "\n" + units + session.say(
        Text(
            "双方风险的方案：合计试验 {total}，失效不超过 {failures} 次；使用方风险 {consumer}，"
            "生产方风险 {producer}。",
            "the plan that keeps both risks: {total} hours altogether, failures allowed: {failures}; consumer's risk "
            "{consumer}, producer's risk {producer}.",
        ).format(
            total=number(found["total_hours"]), failures=str(found["failures"]),
            consumer=f"{found['consumer_risk']:.3f}", producer=f"{found['producer_risk']:.3f}",
        )
    )  # fmt: skip
