"""How parts fail: mechanisms, the modes of a part, and what upstream quality does to them."""

from schema.core import Aspect, Entity, Node, about, entity
from schema.entities import names


@entity(
    "mechanism",
    sheet="mechanisms",
    zh="失效机理",
    en="Mechanism",
    plural="Mechanisms",
    key=("code",),
    aspect=Aspect.IDENTITY,
    sharing="public",
)
class Mechanism(Node):
    """A physical, chemical or other process by which things fail; a tree."""

    # (:Mechanism)-[:KIND_OF]->(:Mechanism)
    code: str = about(
        "Code in the tree.", zh="机理代码", names="机理编码;mechanism code", max_length=64, examples=["ME-LUB"]
    )
    parent: str | None = about("The wider mechanism.", zh="上级机理", ref="mechanism", drawn="KIND_OF", default=None)
    name_zh: str | None = about("Name in Chinese.", zh="名称", names="机理名称", default=None)
    name_en: str | None = about("Name in English.", zh="英文名称", names="name", default=None)
    typical_beta: float | None = about(
        "Weibull shape that is typical of it, where there are too few failures to fit one.",
        zh="典型形状参数",
        names="典型β;beta",
        gt=0,
        le=50,
        default=None,
    )


@entity(
    "mode",
    sheet="modes",
    zh="失效模式",
    en="Failure mode",
    plural="Failure modes",
    key=("part", "mode"),
    by_owner=True,
    aspect=Aspect.RELIABILITY,
)
class Mode(Node):
    """One way in which a part fails."""

    # (:Part)-[:FAILS_BY]->(:Mode)-[:THROUGH]->(:Mechanism)
    part: str = about("The part.", zh="物料编码", names=names.PART, ref="part", drawn="<FAILS_BY")
    mode: str = about(
        "Code of the mode, unique in the part.",
        zh="模式代码",
        names="故障代码;failure mode code;mode code",
        max_length=200,
        examples=["FM003"],
    )
    name_zh: str | None = about(
        "Name in Chinese.", zh="失效模式", names=names.MODE.split(";failure mode")[0], default=None
    )
    name_en: str | None = about("Name in English.", zh="英文名称", names="failure mode", default=None)
    mechanism: str | None = about(
        "The mechanism behind it.", zh="失效机理", names=names.MECHANISM, ref="mechanism", drawn="THROUGH", default=None
    )
    severity: int | None = about(
        "Severity, 1 (nothing noticed) to 10 (danger without warning).",
        zh="严重度",
        names="严酷度;严重度S;S;sev",
        ge=1,
        le=10,
        default=None,
    )
    repair_hours: float | None = about(
        "Mean time to repair.",
        zh="平均修复时间",
        names="MTTR;平均维修时间;mean time to repair",
        unit="h",
        ge=0,
        default=None,
    )


@entity(
    "propagation",
    sheet="propagation",
    zh="质量传播",
    en="Propagation of quality",
    plural="Propagation of quality",
    key=("upstream_part", "mechanism", "downstream_part"),
    by_owner=True,
    aspect=Aspect.RELIABILITY,
    relation=("INFLUENCES", "upstream_part", "downstream_part"),
    subject="downstream_part",
)
class Propagation(Entity):
    """The quality q of an upstream material moves the characteristic life of a mechanism downstream: eta' = eta q^sensitivity."""

    # (:Part)-[:INFLUENCES {mechanism, sensitivity}]->(:Part)
    upstream_part: str = about(
        "The material or part whose quality matters.", zh="上游零部件", names="上游物料", ref="part"
    )
    mechanism: str = about("The mechanism that it drives.", zh="失效机理", names=names.MECHANISM, ref="mechanism")
    downstream_part: str = about("The part that fails by it.", zh="下游零部件", names="下游物料", ref="part")
    sensitivity: float = about(
        "Exponent of the upstream quality.", zh="敏感度", names="灵敏度", ge=0, le=10, default=1.0
    )
