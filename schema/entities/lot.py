"""Lots and their genealogy, and what was shipped."""

import datetime as dt

from schema.core import Aspect, Entity, Node, about, entity
from schema.entities import names


@entity(
    "lot",
    sheet="lots",
    zh="批次",
    en="Lot",
    plural="Lots",
    key=("part", "maker", "code"),
    by_owner=True,
    aspect=Aspect.STRUCTURE,
)
class Lot(Node):
    """So many of a part made by one firm in one run; a software version is a lot."""

    # (:Lot)-[:OF]->(:Part), (:Organisation)-[:MADE]->(:Lot)
    part: str = about("What was made.", zh="物料编码", names=names.PART, ref="part", drawn="OF")
    maker: str | None = about(
        "Who made it.", zh="生产厂家", names=names.MAKER, ref="organisation", drawn="<MADE", default=None
    )
    code: str = about(
        "The maker's code for it.", zh="批次号", names=names.LOT, max_length=128, indexed=True, examples=["LZ2503"]
    )
    produced_on: dt.date | None = about("Day of production.", zh="生产日期", names=names.MADE_ON, default=None)
    quantity: float | None = about("How many.", zh="数量", names="批量;生产数量;lot size", gt=0, default=None)
    individual: bool | None = about(
        "Is it one unit, whose serial number is the code?",
        zh="单件",
        names="是否单件;序列号管理;individual;serialized",
        default=None,
    )


@entity(
    "lot_genealogy",
    sheet="lot_genealogy",
    zh="批次谱系",
    en="Lot genealogy",
    plural="Lot genealogy",
    key=("from_lot", "into_lot"),
    by_owner=True,
    aspect=Aspect.STRUCTURE,
    relation=("WENT_INTO", "from_lot", "into_lot"),
    subject="into_part",
)
class LotGenealogy(Entity):
    """Material of one lot went into another."""

    # (:Lot)-[:WENT_INTO {quantity}]->(:Lot)
    from_part: str = about("Part of the lot that was used.", zh="投入物料", names="上游物料;子件编码", ref="part")
    from_maker: str | None = about("Who made it.", zh="投入厂家", names="上游厂家", ref="organisation", default=None)
    from_lot: str = about(
        "The lot that was used.", zh="投入批次", names="上游批次;来料批次", ref="lot", via=("from_part", "from_maker")
    )
    into_part: str = about("Part of the lot that was made of it.", zh="产出物料", names="下游物料;父件编码", ref="part")
    into_maker: str | None = about("Who made that.", zh="产出厂家", names="下游厂家", ref="organisation", default=None)
    into_lot: str = about(
        "The lot that was made of it.",
        zh="产出批次",
        names="下游批次;生产批次",
        ref="lot",
        via=("into_part", "into_maker"),
        indexed=True,
    )
    quantity: float | None = about("How much of it went in.", zh="数量", names="用量;投入数量", gt=0, default=None)


@entity(
    "shipment",
    sheet="shipments",
    zh="发货",
    en="Shipment",
    plural="Shipments",
    key=("part", "maker", "shipped_on", "region", "lot"),
    by_owner=True,
    aspect=Aspect.SUPPLY,
)
class Shipment(Entity):
    """So many units of a part went into use on one day: the population that failures are counted against."""

    # (:Shipment)-[:OF]->(:Part)
    part: str = about("What was shipped.", zh="物料编码", names=names.PART, ref="part", drawn="OF")
    maker: str | None = about("Who made it.", zh="生产厂家", names=names.MAKER, ref="organisation", default=None)
    lot: str | None = about("Its lot.", zh="批次号", names=names.LOT, ref="lot", via=("part", "maker"), default=None)
    shipped_on: dt.date = about(
        "Day, or first day of the month.", zh="发货日期", names="出货日期;发运日期;" + names.SOLD_ON
    )
    quantity: int = about("How many.", zh="数量", names="发货数量;出货数量;销量", ge=1)
    region: str | None = about("Where to.", zh="地区", names=names.REGION + ";销往地区", default=None, indexed=True)
    usage_per_month: float | None = about(
        "Units of age that one of them gathers in a month.",
        zh="月使用量",
        names="月均使用;monthly usage",
        gt=0,
        default=None,
    )
