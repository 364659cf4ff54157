"""Who may see what: agreements, and requests for the name behind a pseudonym."""

import datetime as dt

import polars as pl

from schema.core import Aspect, Entity, RowRule, Vocabulary, about, entity
from schema.text import Text
from schema.vocabularies import AgreementState, Aspects, AtEnd, Disclosure, Purpose, RequestState

EVERYONE = "everyone"
"""The grantee that stands for every organisation."""
CONSORTIUM, GROUP = "consortium:", "group:"
"""What stands before a grantee that is no single organisation: `consortium:C-VMC`, `group:C-VMC/bearings`."""
ALL = "all"
"""Records of everything that the owner states."""
SCOPES = ("part", "subtree", "class", "product")
"""What may stand before a colon in `records`: one part; a part and all that its owner says is in it; parts of a class;
a product with all in it, of rows that name a product only those that name this one."""


def _codes_only(name: str, of: type[Vocabulary]) -> RowRule:
    listed = "、".join(of.codes())
    return RowRule(
        f"agreement.{name}",
        (name,),
        lambda: ~pl.col(name).str.split(";").list.eval(pl.element().is_in(of.codes())).list.all(),
        Text(f"{name} 中有未知的代码。", f"There is an unknown code in {name}."),
        Text(f"可用的代码：{listed}，以分号分隔。", f"Codes are {', '.join(of.codes())}, with semicolons between."),
    )


@entity(
    "agreement",
    sheet="agreements",
    zh="共享协议",
    en="Agreement",
    plural="Agreements",
    key=("id", "version"),
    aspect=Aspect.IDENTITY,
    sharing="parties",
)
class Agreement(Entity):
    """The owner of data lets somebody see which aspects of what, for which purposes, from when to when.

    The terms of a version never change: other terms are another version, which holds once both sides have agreed to it.
    """

    # (:Organisation)-[:PROPOSED]->(:Agreement)

    id: str = about("Number of the agreement.", zh="协议号", names="协议编号", max_length=64, examples=["AG-S05-L01"])
    version: int = about("Number of this version of its terms.", zh="版本", names="版本号", ge=1, default=1)
    grantee: str = about(
        "With whom: an organisation, `consortium:ID`, `group:ID/NAME` or `everyone`.",
        zh="被授权方",
        names="共享对象;授权对象",
        max_length=200,
        examples=["L01", "consortium:C-VMC"],
    )
    records: str = about(
        "Rows about what: `all`, or some of `part:KEY`, `subtree:KEY`, `class:NAME`, `product:KEY`, separated by "
        "semicolons.",
        zh="记录范围",
        names="数据范围",
        default=ALL,
        examples=["all", "subtree:L01/A11"],
    )
    aspects: str = about(
        "Which aspects, separated by semicolons.",
        zh="共享内容",
        names="共享方面",
        codes=Aspects,
        examples=["structure;reliability"],
    )
    purposes: str = about(
        "For which purposes, separated by semicolons.", zh="用途", codes=Purpose, examples=["quality;recall"]
    )
    start: dt.datetime = about("From when.", zh="开始时间", names="生效时间")
    end: dt.datetime = about("Until when, that moment not included.", zh="结束时间", names="终止时间")
    onward: bool = about(
        "May the grantee let others see it in turn, where it shares its own?", zh="可转授", default=False
    )
    at_end: AtEnd = about("What becomes of the data at the end.", zh="到期处理", default=AtEnd.KEEP)
    mode: Disclosure = about(
        "Figures may be shown, only used in a computed result, or only pooled in benchmarks.",
        zh="使用方式",
        names="方式",
        default=Disclosure.SHOW,
    )
    state: AgreementState = about("How far it has come.", zh="状态", default=AgreementState.PROPOSED)
    proposed_by: str | None = about(
        "Who proposed these terms.", zh="提出方", ref="organisation", drawn="<PROPOSED", default=None
    )
    changed_at: dt.datetime | None = about("When its state last changed.", zh="状态变更时间", default=None)
    note: str | None = about("What the two sides say of it.", zh="说明", default=None, max_length=2000)

    ROW_RULES = (
        RowRule(
            "agreement.dates",
            ("start", "end"),
            lambda: pl.col("end") <= pl.col("start"),
            Text("结束时间不晚于开始时间。", "It ends before it begins."),
            Text("请更正时间。", "Correct the times."),
        ),
        RowRule(
            "agreement.records",
            ("records",),
            lambda: (
                ~pl.col("records").str.contains(rf"^({ALL}|({'|'.join(SCOPES)}):[^;]+(;({'|'.join(SCOPES)}):[^;]+)*)$")
            ),
            Text("记录范围无法识别。", "It is not said which records."),
            Text(
                "请写 all，或 part:、subtree:、class:、product: 加对象，以分号分隔。",
                "Write all, or part:, subtree:, class: or product: and what, with semicolons between.",
            ),
        ),
        _codes_only("aspects", Aspects),
        _codes_only("purposes", Purpose),
    )


@entity(
    "identity_request",
    sheet=None,
    zh="身份申请",
    en="Identity request",
    plural="Identity requests",
    key=("id", "asked"),
    aspect=Aspect.IDENTITY,
    sharing="parties",
    parties=("requester",),
)
class IdentityRequest(Entity):
    """Somebody asks who is behind a pseudonym; each firm through whose data it is seen is asked (and owns its row).

    The name is shown once all that were asked have granted it.
    """

    # (:Organisation)-[:ASKS]->(:IdentityRequest)-[:OF]->(:Organisation)
    id: str = about("Number of the request; one for all that are asked.", zh="申请号", max_length=64)
    asked: str = about("Who is asked.", zh="被问方", ref="organisation", drawn="OF")
    requester: str = about("Who asks.", zh="申请方", ref="organisation", drawn="<ASKS")
    pseudonym: str = about("The pseudonym in the requester's view.", zh="化名")
    subject: str = about("Who is behind it.", zh="身份", own=True)
    purpose: Purpose = about("For which purpose.", zh="用途")
    reason: str | None = about("Why.", zh="理由", default=None, max_length=2000)
    state: RequestState = about("What was answered.", zh="状态", default=RequestState.REQUESTED)
    at: dt.datetime = about("When it was asked.", zh="申请时间")
    until: dt.datetime | None = about(
        "Until when the name is shown; without end where empty.", zh="有效期至", default=None
    )
    changed_at: dt.datetime | None = about("When it was answered.", zh="答复时间", default=None)
