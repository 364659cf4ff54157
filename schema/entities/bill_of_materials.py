"""What a part is made of, and who supplies it to whom."""

import datetime as dt

import polars as pl

from schema.core import Aspect, Entity, RowRule, about, entity
from schema.entities import names
from schema.text import Text
from schema.vocabularies import Redundancy, SupplyStatus


@entity(
    "contains",
    sheet="contains",
    zh="构成",
    en="Bill of materials line",
    plural="Bill of materials",
    key=("parent", "child", "find_no", "group", "valid_from"),
    by_owner=True,
    aspect=Aspect.STRUCTURE,
    relation=("CONTAINS", "parent", "child"),
)
class Contains(Entity):
    """A line of a bill of materials: so many of a child in a parent. Lines with one `group` work while k units of them do."""

    # (:Part)-[:CONTAINS {quantity, unit, group, k, redundancy, duty}]->(:Part)
    parent: str = about(
        "The part that contains.",
        zh="父件编码",
        names="父项编码;母件;上级物料;父件号;父级料号;父件;parent part;parent item;assembly",
        ref="part",
        examples=["A11"],
    )
    child: str = about(
        "The part contained.",
        zh="子件编码",
        names="子项编码;子件;子件号;组件编码;" + names.PART,
        ref="part",
        examples=["A12"],
    )
    find_no: str | None = about(
        "Position on the list.",
        zh="项次",
        names="位号;位置号;参考位号;item;find number;reference designator;ref des;designator",
        default=None,
        max_length=256,
    )
    quantity: float = about(
        "How many, or how much of a measured material, in one parent.",
        zh="用量",
        names="单机用量;单台用量;单板用量;单车用量;数量;物料使用比例;定额;qty;usage;qty per",
        gt=0,
        default=1.0,
    )
    unit: str | None = about(
        "Unit of the quantity; pieces where empty.", zh="单位", names=names.UNIT + ";BOM物料单位", default=None
    )
    group: str | None = about(
        "Redundancy group within the parent.", zh="冗余组", names="冗余组号;redundancy group", default=None
    )
    k: int | None = about(
        "How many units of the group must work.", zh="最少工作数", names="k/n;required units", ge=1, default=None
    )
    redundancy: Redundancy | None = about(
        "How spare units wait; active where empty.", zh="冗余方式", names="冗余类型", default=None
    )
    duty: float = about(
        "Units of the child's age for each unit of the parent's age.",
        zh="占空比",
        names="工作比;duty cycle;duty factor",
        gt=0,
        default=1.0,
    )
    valid_from: dt.date | None = about(
        "First day on which it holds.", zh="生效日期", names="有效期起;effective from;effective date", default=None
    )
    valid_to: dt.date | None = about(
        "Day on which it ends.", zh="失效日", names="失效日期(BOM);有效期止;effective to", default=None
    )

    ROW_RULES = (
        RowRule(
            "contains.self",
            ("parent", "child"),
            lambda: pl.col("parent") == pl.col("child"),
            Text("零件不能包含自己。", "A part cannot contain itself."),
            Text("请更正父件或子件编码。", "Correct the parent or the child."),
        ),
        RowRule(
            "contains.dates",
            ("valid_from", "valid_to"),
            lambda: pl.col("valid_to") <= pl.col("valid_from"),
            Text("失效日不晚于生效日期。", "It ends before it begins."),
            Text("请更正日期。", "Correct the dates."),
        ),
    )


@entity(
    "supplies",
    sheet="supplies",
    zh="供货",
    en="Supply",
    plural="Supplies",
    key=("supplier", "part", "customer", "site", "valid_from"),
    by_owner=True,
    aspect=Aspect.SUPPLY,
    relation=("SUPPLIES", "supplier", "part"),
)
class Supplies(Entity):
    """An organisation supplies a part to a customer; a firm that makes a part for itself is both."""

    # (:Organisation)-[:SUPPLIES {customer, share, status, lead_time_days}]->(:Part)
    part: str = about("The part supplied.", zh="物料编码", names=names.PART, ref="part", examples=["A12"])
    supplier: str = about(
        "Who supplies it.", zh="供应商代码", names=names.SUPPLIER, ref="organisation", examples=["S05"]
    )
    customer: str | None = about(
        "To whom; the loading organisation knows best.",
        zh="客户代码",
        names="客户;客户名称;需方;采购方;customer code",
        ref="organisation",
        default=None,
        examples=["S01"],
    )
    site: str | None = about(
        "From which plant or warehouse.", zh="供货场所", names="工厂代码;发货工厂;厂区;plant", ref="site", default=None
    )
    share: float | None = about(
        "Share of the customer's demand, 0 to 1.",
        zh="供货比例",
        names="份额;配额;采购占比;allocation",
        ge=0,
        le=1,
        default=None,
        examples=[0.6],
    )
    status: SupplyStatus | None = about(
        "Main, second or sole source.",
        zh="供货状态",
        names="独家;是否独家;供应商类型;单一来源;sole source;single source",
        default=None,
        examples=["主供"],
    )
    alternative_exists: bool | None = about(
        "Does anybody else in the world make an equal part? 唯一来源 is when nobody does; 独家供货 is when only one is qualified.",
        zh="有无替代",
        names="是否有替代;有无替代料;是否有替代料;has alternative",
        default=None,
    )
    lead_time_days: float | None = about(
        "Days from order to delivery.",
        zh="交期",
        names="采购周期;交货周期;提前期;供货周期;lead time;lt",
        unit="d",
        ge=0,
        default=None,
        examples=[93],
    )
    lead_time_sd_days: float | None = about(
        "Standard deviation of the lead time.",
        zh="交期标准差",
        names="交期波动;lead time sd",
        unit="d",
        ge=0,
        default=None,
    )
    price: float | None = about(
        "Price of one unit.", zh="单价", names="价格;含税单价;unit price", ge=0, default=None, aspect=Aspect.COST
    )
    currency: str | None = about(
        "Currency of the price (ISO 4217).", zh="币种", names="货币", default=None, max_length=8, aspect=Aspect.COST
    )
    capacity: float | None = about(
        "How many it can make for this customer in a month.",
        zh="月产能",
        names="产能;月供货能力;monthly capacity",
        ge=0,
        default=None,
    )
    inventory: float | None = about(
        "How many are in stock for this customer.", zh="库存", names="库存数量;安全库存;stock", ge=0, default=None
    )
    recovery_days: float | None = about(
        "Days until supply flows again after it was lost.",
        zh="恢复天数",
        names="恢复时间;time to recover",
        unit="d",
        ge=0,
        default=None,
    )
    valid_from: dt.date | None = about(
        "First day on which it holds.", zh="生效日期", names="首次供货日期;供货起始日期;first supply", default=None
    )
