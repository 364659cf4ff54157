"""What was observed of lives, and what was declared of them."""

import datetime as dt

import polars as pl

from schema.core import Aspect, Entity, RowRule, about, entity
from schema.entities import names
from schema.text import Text
from schema.vocabularies import AgeUnit, Event, Metric, Origin, Stage

_DATES = Text("请更正日期。", "Correct the date.")


@entity(
    "life_record",
    sheet="life_records",
    zh="寿命数据",
    en="Life record",
    plural="Life records",
    key=("id",),
    by_owner=True,
    merged=False,
    aspect=Aspect.FAILURES,
)
class LifeRecord(Entity):
    """So many units of a part failed at an age, were alive at an age, or failed between two; 现象, 模式, 机理, 原因, 影响 are five fields."""

    # (:LifeRecord)-[:OF]->(:Part), (:LifeRecord)-[:FROM_LOT]->(:Lot), (:LifeRecord)-[:SHOWED]->(:Mode)
    id: str | None = about(
        "Number of the claim, repair or test; made from the row's contents where there is none.",
        zh="故障单号",
        en="Number",
        names="维修单号;维修单编号;索赔单号;工单号;报修单号;8D编号;不合格品单号;claim no;work order;ticket no;ncr no;failure id;record id",
        default=None,
        max_length=128,
    )
    serial: str | None = about(
        "Serial number of the unit, or of the machine it is in; later readings of one unit supersede earlier ones.",
        zh="序列号",
        names="出厂编号;机床编号;设备编号;产品序列号;SN;SN号;总成编号;设备编码;serial no;serial number;s/n;asset no;machine id;VIN;VIN码;车架号;底盘号;车辆识别代号;chassis no",
        default=None,
        indexed=True,
    )
    part: str = about(
        "The part that failed or lived: the causal part.",
        zh="物料编码",
        names=names.PART + ";" + names.FAULTY_PART + ";" + names.DRAWING,
        ref="part",
        drawn="OF",
        examples=["A12"],
    )
    maker: str | None = about(
        "Who made it.", zh="生产厂家", names=names.MAKER, ref="organisation", default=None, examples=["S05"]
    )
    lot: str | None = about(
        "Its lot.",
        zh="批次号",
        names=names.LOT,
        ref="lot",
        drawn="FROM_LOT",
        via=("part", "maker"),
        default=None,
        examples=["B2503"],
    )
    event: Event = about(
        "Failed, still alive, or failed between two ages.",
        zh="失效标识",
        names="是否失效;状态(失效/在用);状态;是否截尾;censored;status;failed;suspended",
        default=Event.FAILURE,
    )
    entry: float = about(
        "Age at which it came under observation.", zh="起始寿命", names="进入观察时寿命;entry age", ge=0, default=0.0
    )
    age: float = about(
        "Age at the failure, or the age it had reached alive; for an interval its lower end.",
        zh="累计工作时间",
        names="运行时间;累计运行时间;工作时间;使用时间;开机时间;累计开动时间;运行小时;故障前工作时间;operating hours;run hours;running time;time to failure;ttf;usage hours;hours;行驶里程;故障里程;里程;里程数;公里数;mileage;odometer;kilometers;动作次数;循环次数;换刀次数;通断次数;使用次数",
        ge=0,
        examples=[9000],
    )
    age_to: float | None = about(
        "Upper end of the interval in which it failed.", zh="区间上限", names="区间终点;age to", gt=0, default=None
    )
    unit: AgeUnit | None = about(
        "Unit of the age; the part's own where empty.", zh="寿命单位", names="单位;age unit", default=None
    )
    count: int = about("How many units with this same record.", zh="数量", names="台数;件数;units;qty", ge=1, default=1)
    mode: str | None = about(
        "Failure mode.", zh="失效模式", names=names.MODE, ref="mode", drawn="SHOWED", via=("part",), default=None
    )
    mechanism: str | None = about(
        "Failure mechanism.", zh="失效机理", names=names.MECHANISM, ref="mechanism", default=None
    )
    symptom: str | None = about(
        "What was noticed.",
        zh="故障现象",
        names="故障描述;失效现象;问题描述;不良描述;投诉内容;故障名称;不良现象;缺陷描述;failure description;complaint;problem description",
        default=None,
    )
    cause: str | None = about(
        "Why it happened.",
        zh="失效原因",
        names="故障原因;潜在失效原因;潜在原因;根本原因;根因;不良原因;原因分析;failure cause;root cause",
        default=None,
    )
    effect: str | None = about(
        "What it led to.", zh="失效影响", names="失效后果;潜在失效后果;故障影响;潜在影响;failure effect", default=None
    )
    severity: int | None = about(
        "Severity, 1 to 10.", zh="严重度", names="严酷度;严重度S;sev", ge=1, le=10, default=None
    )
    relevant: bool | None = about(
        "Does it count against the part (关联故障)? Yes where empty.",
        zh="关联故障",
        names="是否关联;是否计入;relevant failure;chargeable",
        default=None,
    )
    product: str | None = about(
        "The product it was in.",
        zh="整机型号",
        names="车型;车辆型号;机型;设备型号;所属产品;vehicle model;machine model;model",
        ref="part",
        default=None,
    )
    region: str | None = about("Where it was used.", zh="使用地区", names=names.REGION, default=None, indexed=True)
    version: str | None = about(
        "Design or software version.", zh="版本", names="版次;软件版本;设变号;ECN号;revision;rev;ecn no", default=None
    )
    origin: Origin | None = about(
        "Field, warranty, test or inspection.", zh="数据来源", names="来源;data source", default=None
    )
    stage: Stage | None = about("Stage of life.", zh="寿命阶段", names="阶段;life stage", default=None)
    started_on: dt.date | None = about(
        "Day on which it went into use.", zh="投用日期", names=names.SOLD_ON, default=None
    )
    observed_on: dt.date | None = about(
        "Day of the failure or the reading.", zh="故障日期", names=names.HAPPENED_ON, default=None
    )
    downtime_hours: float | None = about(
        "How long the machine stood still.",
        zh="停机时长",
        names="停机时间;停机时间(h);故障停机时间;downtime;down time",
        unit="h",
        ge=0,
        default=None,
    )
    repair_hours: float | None = about(
        "How long the repair took.",
        zh="维修时间",
        names="修复时长;维修工时;修理时间;工时;repair time;ttr;labour hours",
        unit="h",
        ge=0,
        default=None,
    )
    cost: float | None = about(
        "What it cost in all.",
        zh="费用",
        names="总费用;维修费用;索赔金额;total cost",
        ge=0,
        default=None,
        aspect=Aspect.COST,
    )

    ROW_RULES = (
        RowRule(
            "life_record.entry_after_age",
            ("entry", "age"),
            lambda: pl.col("entry") > pl.col("age"),
            Text("起始寿命大于结束时的寿命。", "It came under observation after the age it ended at."),
            Text("请更正起始寿命或寿命。", "Correct the entry or the age."),
        ),
        RowRule(
            "life_record.interval",
            ("event", "age", "age_to"),
            lambda: (
                (pl.col("event") == "interval") & (pl.col("age_to").is_null() | (pl.col("age_to") <= pl.col("age")))
            ),
            Text(
                "区间失效需要大于下限的区间上限。", "A failure between two ages needs an upper end above the lower one."
            ),
            Text("请填写区间上限，或改为失效/在用。", "Give age_to, or change the event."),
        ),
        RowRule(
            "life_record.dates",
            ("started_on", "observed_on"),
            lambda: pl.col("observed_on") < pl.col("started_on"),
            Text("故障日期早于投用日期。", "It was observed before it went into use."),
            _DATES,
        ),
    )


@entity(
    "declared_value",
    sheet="declared_values",
    zh="供方声明值",
    en="Declared value",
    plural="Declared values",
    key=("part", "maker", "metric", "condition", "mode"),
    by_owner=True,
    aspect=Aspect.RELIABILITY,
)
class DeclaredValue(Entity):
    """A reliability figure that somebody declares; not a warranty claim (索赔记录), which is a failure reported."""

    # (:DeclaredValue)-[:ABOUT]->(:Part)
    part: str = about("The part.", zh="物料编码", names=names.PART, ref="part", drawn="ABOUT")
    maker: str | None = about("Whose make of it.", zh="生产厂家", names=names.MAKER, ref="organisation", default=None)
    mode: str | None = about(
        "One failure mode; all of them together where empty.",
        zh="失效模式",
        names=names.MODE,
        ref="mode",
        via=("part",),
        default=None,
    )
    metric: Metric = about("What the figure is.", zh="指标", names="可靠性指标;metric;指标名称", examples=["mtbf"])
    value: float = about(
        "The figure: a mean, a rate, a B10 life, or the scale of a distribution.",
        zh="声明值",
        names="数值;指标值;目标值;value",
        gt=0,
        examples=[130000],
    )
    unit: str = about(
        "Its unit: h, cycles, km; for rates 1/h, FIT (10^-9/h), fpmh (10^-6/h), %/1000h.",
        zh="单位",
        names="单位;uom",
        max_length=16,
        examples=["h"],
    )
    shape: float | None = about(
        "Weibull shape that goes with it.",
        zh="形状参数",
        names="β;形状参数β;威布尔形状参数;beta;weibull beta",
        gt=0,
        le=50,
        default=None,
    )
    low: float | None = about("Lower end of its interval.", zh="下限", names="置信下限;lower", gt=0, default=None)
    high: float | None = about("Upper end of its interval.", zh="上限", names="置信上限;upper", gt=0, default=None)
    confidence: float | None = about(
        "Two-sided confidence of the interval, 0 to 1.",
        zh="置信度",
        names="置信水平;confidence level;cl",
        gt=0,
        lt=1,
        default=None,
    )
    condition: str | None = about(
        "Under which conditions.", zh="试验条件", names="条件;使用条件;温度;应力等级;test condition", default=None
    )

    ROW_RULES = (
        RowRule(
            "declared_value.interval",
            ("low", "value", "high"),
            lambda: (pl.col("low") > pl.col("value")) | (pl.col("high") < pl.col("value")),
            Text("声明值不在其区间内。", "The figure lies outside its interval."),
            Text("请更正上限、下限或声明值。", "Correct low, high or value."),
        ),
    )
