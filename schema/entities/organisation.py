"""Firms and other bodies, their sites, the consortia they form."""

import datetime as dt

from schema.core import Aspect, Entity, Node, Personal, about, entity
from schema.entities import names
from schema.vocabularies import Role


@entity(
    "organisation",
    sheet="organisations",
    zh="组织",
    en="Organisation",
    plural="Organisations",
    key=("id",),
    aspect=Aspect.IDENTITY,
    parties=("id",),
)
class Organisation(Node):
    """A firm, laboratory, university, association or authority."""

    # (:Organisation)-[:OWNED_BY]->(:Organisation)
    id: str = about(
        "Short code that the consortium uses for it.",
        zh="组织代码",
        names=names.SUPPLIER.split(";供应商名称")[0],
        max_length=64,
        examples=["S05"],
    )
    uscc: str | None = about(
        "Unified social credit code (GB 32100-2015); a wrong check digit is a warning, real codes have them.",
        zh="统一社会信用代码",
        names=names.USCC,
        indexed=True,
        default=None,
        max_length=32,
    )
    name_zh: str | None = about(
        "Name in Chinese.",
        zh="名称",
        names="供应商名称;企业名称;单位名称;公司名称;supplier name;vendor name",
        default=None,
        indexed=True,
    )
    name_en: str | None = about("Name in English.", zh="英文名称", names="name;english name", default=None)
    tier: int | None = about(
        "Distance from the chain leader, who is 0.",
        zh="供应层级",
        names="配套层级;链级;supplier tier",
        ge=0,
        le=99,
        default=None,
        aspect=Aspect.STRUCTURE,
    )
    role: Role | None = about("What it is in the chain.", zh="角色", names="类型;企业角色", default=None)
    region: str | None = about(
        "Administrative division (GB/T 2260) or place.", zh="地区", names=names.REGION, default=None, indexed=True
    )
    industry: str | None = about(
        "Industry (GB/T 4754).", zh="行业代码", names="国民经济行业;行业分类;行业;industry code", default=None
    )
    parent: str | None = about(
        "The organisation that owns it.",
        zh="母公司",
        names="上级单位;控股股东;parent company",
        ref="organisation",
        drawn="OWNED_BY",
        default=None,
    )


@entity(
    "site",
    sheet="sites",
    zh="场所",
    en="Site",
    plural="Sites",
    key=("id",),
    aspect=Aspect.SUPPLY,
    parties=("organisation",),
)
class Site(Node):
    """A plant or warehouse of an organisation."""

    # (:Site)-[:BELONGS_TO]->(:Organisation)
    id: str = about(
        "Short code of the site.",
        zh="场所代码",
        names="工厂代码;厂区代码;plant code;site id",
        max_length=64,
        examples=["S05-P1"],
    )
    organisation: str | None = about(
        "Who runs it.",
        zh="所属组织",
        names="组织;企业;所属企业;organization",
        ref="organisation",
        drawn="BELONGS_TO",
        default=None,
    )
    name_zh: str | None = about(
        "Name in Chinese.", zh="名称", names="厂区名称;工厂名称", default=None, aspect=Aspect.IDENTITY
    )
    name_en: str | None = about("Name in English.", zh="英文名称", names="name", default=None, aspect=Aspect.IDENTITY)
    region: str | None = about(
        "Administrative division (GB/T 2260) or place.", zh="地区", names=names.REGION, default=None, indexed=True
    )
    latitude: float | None = about(
        "Latitude.", zh="纬度", names="lat", unit="°", ge=-90, le=90, default=None, aspect=Aspect.IDENTITY
    )
    longitude: float | None = about(
        "Longitude.", zh="经度", names="lon;lng", unit="°", ge=-180, le=180, default=None, aspect=Aspect.IDENTITY
    )
    recovery_days: float | None = about(
        "Days until it works again after it was lost.",
        zh="恢复天数",
        names="恢复时间;time to recover;ttr days",
        unit="d",
        ge=0,
        default=None,
    )


@entity(
    "consortium",
    sheet="consortia",
    zh="联合体",
    en="Consortium",
    plural="Consortia",
    key=("id",),
    aspect=Aspect.IDENTITY,
    parties=("leader",),
)
class Consortium(Entity):
    """A chain leader and the firms that work with it on the quality of some products."""

    # (:Organisation)-[:LEADS]->(:Consortium)
    id: str = about("Short code of the consortium.", zh="联合体代码", max_length=64, examples=["C-VMC"])
    leader: str = about("The chain leader.", zh="链主", names="链主企业;牵头单位", ref="organisation", drawn="<LEADS")
    name_zh: str | None = about("Name in Chinese.", zh="名称", names="联合体名称", default=None)
    name_en: str | None = about("Name in English.", zh="英文名称", names="name", default=None)
    products: str | None = about(
        "Numbers of the products it cares for, separated by semicolons.",
        zh="产品",
        names="主导产品;产品清单",
        default=None,
        examples=["VMC850"],
    )


@entity(
    "member",
    sheet="members",
    zh="成员",
    en="Membership",
    plural="Memberships",
    key=("consortium", "organisation"),
    aspect=Aspect.IDENTITY,
    relation=("MEMBER_OF", "organisation", "consortium"),
    parties=("organisation",),
)
class Member(Entity):
    """An organisation in a consortium."""

    # (:Organisation)-[:MEMBER_OF {role, tier, since, until}]->(:Consortium)
    consortium: str = about("The consortium.", zh="联合体", names="联合体代码", ref="consortium")
    organisation: str = about(
        "The member.", zh="成员", names="成员单位;企业;组织;organization;member", ref="organisation"
    )
    role: Role | None = about("What it is in this consortium.", zh="角色", default=None)
    tier: int | None = about("Its distance from the leader in this chain.", zh="供应层级", ge=0, le=99, default=None)
    since: dt.date | None = about("First day of membership.", zh="加入日期", names="加入时间;joined", default=None)
    until: dt.date | None = about("Day on which membership ends.", zh="退出日期", names="退出时间;left", default=None)
    groups: str | None = about(
        "Groups of the consortium that it belongs to, separated by semicolons; an agreement may be with a group.",
        zh="工作组",
        names="所属工作组;小组",
        default=None,
        examples=["bearings;quality"],
    )


PERSONAL_COLUMNS: dict[str, Personal] = {
    **dict.fromkeys(
        [
            "用户姓名",
            "客户姓名",
            "车主姓名",
            "联系人",
            "姓名",
            "车主",
            "customer name",
            "contact",
            "contact name",
            "owner name",
            "联系电话",
            "电话",
            "电话号码",
            "手机",
            "手机号",
            "手机号码",
            "phone",
            "mobile",
            "tel",
            "telephone",
            "用户地址",
            "联系地址",
            "地址",
            "住址",
            "家庭住址",
            "address",
            "身份证",
            "身份证号",
            "id card",
            "电子邮箱",
            "邮箱",
            "email",
            "e-mail",
            "车牌",
            "车牌号",
            "plate no",
            "检测人员",
            "检验员",
            "填报人",
            "维修人员",
            "操作者",
            "inspector",
            "reporter",
        ],
        Personal.DROP,
    ),
    **dict.fromkeys(["VIN", "VIN码", "车架号", "底盘号", "车辆识别代号", "chassis no"], Personal.HASH),
}
"""Columns of any sheet that tell of persons, by their names, and what is done with them before anything is stored."""
