"""Part types and the other numbers they go by."""

from schema.core import Aspect, Entity, Node, about, entity
from schema.entities import names
from schema.vocabularies import AgeUnit, ChainLevel, Criticality, FoundationClass


@entity(
    "part",
    sheet="parts",
    zh="零部件",
    en="Part",
    plural="Parts",
    key=("issuer", "number"),
    aspect=Aspect.STRUCTURE,
    parties=("issuer",),
)
class Part(Node):
    """A type of thing at any level, from raw material to product; software and processes are parts too."""

    # (:Organisation)-[:ISSUES]->(:Part)
    number: str = about(
        "Number given by the issuer.",
        zh="物料编码",
        en="Number",
        names=names.PART,
        max_length=128,
        indexed=True,
        examples=["A12"],
    )
    issuer: str = about(
        "Who gave the number; the loading organisation where a sheet does not say.",
        zh="编码方",
        names="发布方;编码单位;企业代码",
        ref="organisation",
        drawn="<ISSUES",
        examples=["L01"],
    )
    name_zh: str | None = about(
        "Name in Chinese.", zh="名称", names=names.PART_NAME, default=None, indexed=True, examples=["主轴轴承"]
    )
    name_en: str | None = about("Name in English.", zh="英文名称", names="name;description", default=None)
    part_class: str | None = about(
        "What sort of part it is; parts of a class are compared with each other.",
        zh="零部件类别",
        names="类别;物料类别;分类;part type;class;category",
        default=None,
        indexed=True,
        examples=["bearing"],
    )
    chain_level: ChainLevel | None = about(
        "Where in the chain it stands.", zh="产业链环节", names="链条环节;产业链层级", default=None
    )
    foundation_class: FoundationClass | None = about(
        "Which of the five foundations it belongs to.", zh="五基类别", names="五基;基础类别", default=None
    )
    criticality: Criticality | None = about(
        "How much hangs on it.", zh="重要度", names="关键度;重要性;ABC分类", default=None
    )
    age_unit: AgeUnit | None = about(
        "What its age is counted in; hours where nobody says.",
        zh="寿命单位",
        names="寿命计量单位;age unit",
        default=None,
    )


@entity(
    "part_alias",
    sheet="part_aliases",
    zh="零部件别名",
    en="Part alias",
    plural="Part aliases",
    key=("organisation", "number", "drawing_no"),
    by_owner=True,
    aspect=Aspect.STRUCTURE,
    relation=("KNOWS_AS", "organisation", "part"),
)
class PartAlias(Entity):
    """Another number or drawing under which an organisation knows a part."""

    # (:Organisation)-[:KNOWS_AS {number, drawing_no}]->(:Part)
    organisation: str = about("Who calls it so.", zh="使用方", names="企业;组织;organization", ref="organisation")
    number: str | None = about(
        "Its number there.", zh="别名编码", names=names.CUSTOMER_PART + ";对方料号", default=None, indexed=True
    )
    drawing_no: str | None = about("Its drawing there.", zh="图号", names=names.DRAWING, default=None, indexed=True)
    part: str = about("The part.", zh="物料编码", names=names.PART, ref="part")
