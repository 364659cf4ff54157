"""Words that tell of what kind a sheet is beside the names of fields: in names of files, and in bills of materials."""

from __future__ import annotations

import re

LEVEL = frozenset(
    [
        "层级",
        "层次",
        "阶次",
        "阶层",
        "层",
        "级别",
        "级次",
        "bom层级",
        "bom层次",
        "bom级别",
        "bom阶次",
        "bom阶",
        "结构层次",
        "产品层次",
        "展开层",
        "展开层级",
        "层号",
        "层次号",
        "阶",
        "level",
        "lv",
        "lvl",
        "bomlevel",
        "levelno",
        "indentedlevel",
        "explosionlevel",
        "indenture",
        "indenturelevel",
        "depth",
    ]
)
"""Folded headings of the depth of a line in a bill of materials (see `ingest.bom`)."""
LEVEL_COLUMN = re.compile(
    r"^(?:第)?([零〇一二三四五六七八九]|\d)(?:级|层|阶)(?:物料|零件|件|部件|子件|编码|物料编码|料号|件号)?$|"
    r"^(?:level|lv|l)(\d)$"
)
"""The folded heading of a column with the parts of one level."""
DIGITS = "零一二三四五六七八九"
_WORDS = {
    "life_record": (
        "维修;故障记录;故障日志;故障台账;失效记录;失效日志;索赔;三包;设备台账;在用设备;装机台账;保有量;寿命;"
        "warranty;repair;failurelog;claim;installedbase"
    ),
    "inspection": (
        "来料检验;进货检验;入厂检验;检验月报;检验台账;检验记录;来料质量;来料ppm;月度ppm;iqc;incominginspection"
    ),
    "reliability_test": (
        "可靠性试验;试验报告;试验记录;试验汇总;寿命试验;环境试验;reliabilitytest;testreport;htol;qualification"
    ),
    "fmea_item": "fmea;fmeca;失效模式分析;失效模式及影响",
    "problem": "8d;纠正措施;纠正预防;问题清单;客诉;客户投诉;problem;scar",
    "change_notice": "pcn;pdn;变更通知;变更单;变更清单;变更台账;停产通知;ecn;changenotice",
    "approval": "合格供方;合格供应商;准入;approvedsupplier;approvedvendor;avl;asl",
    "contains": "bom;物料清单;产品结构;明细表;构成",
    "part": "物料主数据;零部件清单;零件清单;零件目录;零部件目录;物料目录;partlist;itemmaster",
    "part_alias": "对照;别名;图号表;crossreference;alias",
    "organisation": "供应商清单;供应商名录;供应商档案;企业名录;supplierlist;vendormaster",
    "supplies": "供货;配额;货源;sourcelist;sourcing",
    "shipment": "发货;出货;发运;销量;shipment;delivery",
    "lot": "批次台账;批次清单;生产批次;lotlist;batchrecord",
    "lot_genealogy": "谱系;批次追溯;投料;追溯;genealogy;traceability",
    "declared_value": "声明值;可靠性指标;mtbf;declared",
    "mode": "失效模式库;故障模式库",
}
WORDS = {kind: tuple(words.split(";")) for kind, words in _WORDS.items()}
"""Folded words in names of files and worksheets that speak for a kind; they never settle it alone."""
