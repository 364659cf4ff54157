"""What quality departments keep besides lives: inspections, tests, FMEA, 8D reports, change notices, approvals."""

import datetime as dt

import polars as pl

from schema.core import Aspect, Entity, RowRule, about, entity
from schema.entities import names
from schema.text import Text
from schema.vocabularies import (
    ActionPriority,
    ApprovalState,
    ChangeCategory,
    ChangeState,
    Disposition,
    ProblemState,
    SeverityClass,
    Verdict,
)

_DATES = Text("请更正日期。", "Correct the dates.")


@entity(
    "inspection",
    sheet="inspections",
    zh="来料检验",
    en="Incoming inspection",
    plural="Incoming inspections",
    key=("part", "maker", "lot", "inspected_on", "report_no"),
    by_owner=True,
    aspect=Aspect.FAILURES,
)
class Inspection(Entity):
    """So many of a delivery were received, so many checked, so many rejected."""

    # (:Inspection)-[:OF]->(:Part), (:Inspection)-[:OF_LOT]->(:Lot)
    report_no: str | None = about(
        "Number of the inspection report.",
        zh="检验单号",
        names="检验报告号;检验编号;检验批号;来料检验单号;报检单号;IQC单号;IQC NO;inspection no;inspection lot",
        default=None,
        max_length=128,
    )
    part: str = about(
        "What was delivered.", zh="物料编码", names=names.PART + ";" + names.DRAWING, ref="part", drawn="OF"
    )
    maker: str | None = about(
        "Who made or delivered it.", zh="供应商代码", names=names.MAKER, ref="organisation", default=None
    )
    lot: str | None = about(
        "Its lot.",
        zh="批次号",
        names=names.LOT,
        ref="lot",
        drawn="OF_LOT",
        via=("part", "maker"),
        default=None,
    )
    inspected_on: dt.date | None = about(
        "Day of the inspection, or first day of the month.",
        zh="检验日期",
        names="检测日期;来料日期;报检日期;收货日期;到货日期;检验月份;月份;inspection date;received date;receipt date",
        default=None,
    )
    received: int | None = about(
        "How many came.",
        zh="接收数量",
        names="本次接收数量;来料数量;送检数量;到货数量;收货数量;批量;交货数量;received;received qty;quantity received;lot size",
        ge=0,
        default=None,
    )
    checked: int | None = about(
        "How many were checked.",
        zh="检测数量",
        names="本次检测数量;检验数量;抽检数量;抽样数;抽样数量;检查数;检测数;inspected;checked;sample size;quantity inspected",
        ge=0,
        default=None,
    )
    rejected: int = about(
        "How many of those checked were not good.",
        zh="不合格数",
        names="不合格数量;不良数;不良数量;不良品数;不良品数量;缺陷数;拒收数;rejected;rejected qty;defective;nonconforming;ng",
        ge=0,
        examples=[2],
    )
    ppm: float | None = about(
        "Rejected of a million checked, as the sheet says it.",
        zh="PPM",
        en="PPM",
        names="来料PPM;ppm值;dppm",
        ge=0,
        le=1_000_000,
        default=None,
    )
    mode: str | None = about(
        "What was wrong.",
        zh="不良模式",
        names=names.MODE + ";不良项目;不良现象;缺陷描述",
        ref="mode",
        via=("part",),
        default=None,
    )
    disposition: Disposition | None = about(
        "What became of it.",
        zh="处置",
        names="处理方式;处置方式;处理结果;判定;检验结论;检验结果;结论;disposition;usage decision;result",
        default=None,
    )

    ROW_RULES = (
        RowRule(
            "inspection.counts",
            ("received", "checked", "rejected"),
            lambda: (pl.col("rejected") > pl.col("checked")) | (pl.col("checked") > pl.col("received")),
            Text(
                "不合格数大于检测数，或检测数大于接收数。",
                "More were rejected than checked, or more checked than received.",
            ),
            Text("请更正数量。", "Correct the numbers."),
        ),
    )


@entity(
    "reliability_test",
    sheet="reliability_tests",
    zh="可靠性试验",
    en="Reliability test",
    plural="Reliability tests",
    key=("part", "maker", "lot", "test", "report_no", "tested_on"),
    by_owner=True,
    aspect=Aspect.RELIABILITY,
)
class ReliabilityTest(Entity):
    """So many units were tested for so long under some condition, and so many failed."""

    # (:ReliabilityTest)-[:OF]->(:Part)
    report_no: str | None = about(
        "Number of the report.",
        zh="试验报告号",
        names="报告编号;试验编号;试验报告编号;检测报告编号;报告号;report no;test report no",
        default=None,
        max_length=128,
    )
    part: str = about(
        "What was tested.",
        zh="物料编码",
        names=names.PART + ";" + names.DRAWING + ";样品编号;样件编号",
        ref="part",
        drawn="OF",
    )
    maker: str | None = about("Who made it.", zh="生产厂家", names=names.MAKER, ref="organisation", default=None)
    lot: str | None = about("Its lot.", zh="批次号", names=names.LOT, ref="lot", via=("part", "maker"), default=None)
    test: str = about(
        "Which test.",
        zh="试验项目",
        names="试验名称;测试项目;检测项目;试验类型;test;test item;test name",
        max_length=200,
        examples=["HTOL"],
    )
    standard: str | None = about(
        "By which standard.",
        zh="依据标准",
        names="试验标准;标准号;检测依据;试验依据;standard;test method",
        default=None,
    )
    condition: str | None = about(
        "Under which conditions.", zh="试验条件", names="条件;应力条件;温度;test condition;stress", default=None
    )
    units: int = about(
        "How many were tested.",
        zh="样本数",
        names="样本量;样品数;样品数量;试样数;投试数;样件数;sample size;units tested;units;n",
        ge=1,
        examples=[77],
    )
    duration: float | None = about(
        "How long each was tested, unless it failed.",
        zh="试验时间",
        names="试验时长;单台试验时间;持续时间;test hours;duration;hours per unit;试验循环数;循环次数;test cycles",
        gt=0,
        default=None,
    )
    unit: str | None = about(
        "Unit of the duration: h, cycles, km.", zh="时间单位", names="单位;duration unit", default=None, max_length=16
    )
    failures: int = about(
        "How many failed.", zh="失效数", names="失效数量;失效样本数;不合格数;故障数;failures;failed units;rejects", ge=0
    )
    acceleration: float | None = about(
        "By how much the test is harder than use.",
        zh="加速因子",
        names="加速系数;AF;acceleration factor",
        gt=0,
        default=None,
    )
    mode: str | None = about(
        "How they failed.", zh="失效模式", names=names.MODE, ref="mode", via=("part",), default=None
    )
    result: Verdict | None = about(
        "Passed or not.", zh="试验结论", names="结论;结果;试验结果;判定;检测结论;result;verdict", default=None
    )
    tested_on: dt.date | None = about(
        "Day on which it ended.",
        zh="试验日期",
        names="完成日期;结束日期;报告日期;试验完成日期;test date;report date;end date",
        default=None,
    )
    laboratory: str | None = about(
        "Who tested it.",
        zh="试验机构",
        names="检测机构;试验单位;检测单位;实验室;laboratory;lab",
        ref="organisation",
        default=None,
    )

    ROW_RULES = (
        RowRule(
            "reliability_test.failures",
            ("units", "failures"),
            lambda: pl.col("failures") > pl.col("units"),
            Text("失效数大于样本数。", "More failed than were tested."),
            Text("请更正数量。", "Correct the numbers."),
        ),
    )


@entity(
    "fmea_item",
    sheet="fmea",
    zh="FMEA条目",
    en="FMEA item",
    plural="FMEA items",
    key=("part", "function", "mode", "effect", "cause"),
    by_owner=True,
    aspect=Aspect.RELIABILITY,
)
class FmeaItem(Entity):
    """One chain of cause, failure mode and effect, with its ratings: severity, occurrence, detection, action priority."""

    # (:FmeaItem)-[:OF]->(:Part), (:FmeaItem)-[:ABOUT]->(:Mode)
    part: str = about(
        "The part, or the part that the process step makes.",
        zh="物料编码",
        names=names.PART + ";" + names.DRAWING + ";产品;部件编号;组件编号;item",
        ref="part",
        drawn="OF",
    )
    function: str | None = about(
        "What it has to do, or the step of the process.",
        zh="功能",
        names="功能要求;功能/要求;过程步骤;工序;工序名称;过程功能;产品功能;function;process step;requirement",
        default=None,
        max_length=500,
    )
    mode: str = about("How it may fail.", zh="潜在失效模式", names=names.MODE, ref="mode", drawn="ABOUT", via=("part",))
    effect: str | None = about(
        "What that leads to.",
        zh="潜在失效后果",
        names="失效影响;失效后果;故障影响;最终影响;后果;局部影响;failure effect;potential effect;effect;potential effects of failure",
        default=None,
        max_length=500,
    )
    severity: int | None = about(
        "Severity S, 1 to 10.", zh="严重度", names="严重度S;严重度(S);S;sev;severity (S)", ge=1, le=10, default=None
    )
    severity_class: SeverityClass | None = about(
        "Severity by the classes I to IV of GJB/Z 1391 and MIL-STD-1629A.",
        zh="严酷度",
        names="严酷度类别;严酷度等级;severity class;criticality class",
        default=None,
    )
    cause: str | None = about(
        "Why it may happen.",
        zh="潜在失效原因",
        names="失效原因;潜在原因;失效起因;故障原因;原因;failure cause;potential cause;cause;potential causes of failure",
        default=None,
        max_length=500,
    )
    occurrence: int | None = about(
        "Occurrence O, 1 to 10.",
        zh="频度",
        names="频度O;发生度;发生频度;O;occ;occurrence (O)",
        ge=1,
        le=10,
        default=None,
    )
    prevention: str | None = about(
        "What keeps it from happening.",
        zh="预防措施",
        names="现行预防控制;预防控制;现行控制预防;当前的预防控制;prevention control;prevention controls;current controls prevention",
        default=None,
    )
    detection_control: str | None = about(
        "What would find it.",
        zh="探测措施",
        names="现行探测控制;探测控制;现行控制探测;当前的探测控制;检测措施;detection control;detection controls;current controls detection",
        default=None,
    )
    detection: int | None = about(
        "Detection D, 1 (surely found) to 10 (not found).",
        zh="探测度",
        names="探测度D;可探测度;检测度;D;det;detection (D)",
        ge=1,
        le=10,
        default=None,
    )
    rpn: int | None = about(
        "Risk priority number, S times O times D, as the sheet says it.",
        zh="RPN",
        en="RPN",
        names="风险优先数;风险顺序数;风险系数;risk priority number",
        ge=1,
        le=1000,
        default=None,
    )
    priority: ActionPriority | None = about(
        "Action priority (AIAG & VDA FMEA handbook).",
        zh="措施优先级",
        names="AP;行动优先级;行动优先度;action priority",
        default=None,
    )
    action: str | None = about(
        "What is to be done.",
        zh="建议措施",
        names="优化措施;改进措施;推荐措施;补偿措施;recommended action;recommended actions;action",
        default=None,
    )
    due_on: dt.date | None = about(
        "By when.", zh="目标完成日期", names="计划完成日期;完成期限;要求完成日期;target date;due date", default=None
    )
    revised_on: dt.date | None = about(
        "Day of this revision.", zh="修订日期", names="更新日期;编制日期;FMEA日期;revision date;fmea date", default=None
    )

    ROW_RULES = (
        RowRule(
            "fmea_item.rpn",
            ("severity", "occurrence", "detection", "rpn"),
            lambda: pl.col("rpn") != pl.col("severity") * pl.col("occurrence") * pl.col("detection"),
            Text("RPN 不等于 S×O×D。", "The RPN is not S times O times D."),
            Text("请更正 S、O、D 或 RPN。", "Correct S, O, D or the RPN."),
        ),
    )


@entity(
    "problem",
    sheet="problems",
    zh="8D报告",
    en="8D report",
    plural="8D reports",
    key=("id",),
    by_owner=True,
    merged=False,
    aspect=Aspect.FAILURES,
)
class Problem(Entity):
    """A quality problem and what is done about it, step by step (8D); an early warning is one without a cause yet."""

    # (:Problem)-[:ABOUT]->(:Part)
    id: str = about(
        "Number of the report.",
        zh="8D编号",
        names="8D报告编号;8D报告号;8D单号;报告编号;问题编号;纠正预防措施编号;CAR编号;SCAR编号;8d no;8d report no;car no;scar no;problem no;issue no",
        max_length=128,
        examples=["8D-2025-014"],
    )
    part: str = about(
        "The part at fault.",
        zh="物料编码",
        names=names.PART + ";" + names.FAULTY_PART + ";" + names.DRAWING,
        ref="part",
        drawn="ABOUT",
    )
    maker: str | None = about(
        "Who made it.", zh="供应商代码", names=names.MAKER + ";责任供应商;责任方", ref="organisation", default=None
    )
    lot: str | None = about("Its lot.", zh="批次号", names=names.LOT, ref="lot", via=("part", "maker"), default=None)
    customer: str | None = about(
        "Who complained.", zh="客户", names="投诉客户;客户名称;客户代码;customer", ref="organisation", default=None
    )
    problem: str | None = about(
        "What is wrong (D2).",
        zh="问题描述",
        names="D2问题描述;D2;不良描述;问题说明;problem description;problem",
        default=None,
    )
    mode: str | None = about("Failure mode.", zh="失效模式", names=names.MODE, ref="mode", via=("part",), default=None)
    quantity: int | None = about(
        "How many are affected.",
        zh="不良数量",
        names="不合格数;影响数量;涉及数量;问题数量;quantity affected;defect quantity",
        ge=0,
        default=None,
    )
    containment: str | None = about(
        "What was done at once (D3).",
        zh="临时措施",
        names="D3临时措施;D3;遏制措施;围堵措施;临时对策;containment;interim containment action",
        default=None,
    )
    root_cause: str | None = about(
        "Why it happened (D4).",
        zh="根本原因",
        names="D4根本原因;D4;根因;原因分析;发生原因;root cause;occurrence cause",
        default=None,
    )
    escape_cause: str | None = about(
        "Why it was not found.", zh="流出原因", names="逃逸原因;escape cause;escape point", default=None
    )
    corrective_action: str | None = about(
        "What was done for good (D5, D6).",
        zh="永久措施",
        names="D5永久措施;D5;D6;纠正措施;永久纠正措施;长期措施;长期对策;corrective action;permanent corrective action",
        default=None,
    )
    prevention: str | None = about(
        "What keeps it from coming back (D7).",
        zh="预防再发",
        names="D7预防再发;D7;预防措施;预防再发生;横向展开;preventive action;prevent recurrence",
        default=None,
    )
    state: ProblemState | None = about(
        "How far it has come.", zh="状态", names="8D状态;关闭状态;进度;status;state", default=None
    )
    opened_on: dt.date | None = about(
        "Day of the complaint.",
        zh="开立日期",
        names="发生日期;投诉日期;提出日期;开单日期;问题日期;open date;opened;date opened",
        default=None,
    )
    closed_on: dt.date | None = about(
        "Day on which it was closed.",
        zh="关闭日期",
        names="结案日期;完成日期;close date;closed;date closed",
        default=None,
    )

    ROW_RULES = (
        RowRule(
            "problem.dates",
            ("opened_on", "closed_on"),
            lambda: pl.col("closed_on") < pl.col("opened_on"),
            Text("关闭日期早于开立日期。", "It was closed before it was opened."),
            _DATES,
        ),
    )


@entity(
    "change_notice",
    sheet="change_notices",
    zh="变更通知",
    en="Change notice",
    plural="Change notices",
    key=("id", "part"),
    by_owner=True,
    aspect=Aspect.STRUCTURE,
)
class ChangeNotice(Entity):
    """A maker changes a part, its material, process, place or software, or ends it (PCN, PDN)."""

    # (:ChangeNotice)-[:ABOUT]->(:Part)
    id: str = about(
        "Number of the notice.",
        zh="变更通知编号",
        names="PCN编号;PCN号;变更单号;变更编号;变更申请编号;ECN编号;ECR编号;pcn no;pcn number;change no;notice no",
        max_length=128,
        examples=["PCN-2025-07"],
    )
    part: str = about(
        "The part that changes.",
        zh="物料编码",
        names=names.PART + ";" + names.DRAWING + ";受影响物料;涉及物料;affected part",
        ref="part",
        drawn="ABOUT",
    )
    maker: str | None = about("Who changes it.", zh="供应商代码", names=names.MAKER, ref="organisation", default=None)
    category: ChangeCategory | None = about(
        "What changes.", zh="变更类别", names="变更类型;变更内容分类;change type;change category;category", default=None
    )
    description: str | None = about(
        "What is different.",
        zh="变更内容",
        names="变更描述;变更说明;变更后;description of change;change description;description",
        default=None,
    )
    reason: str | None = about("Why.", zh="变更原因", names="变更理由;reason;reason for change", default=None)
    impact: str | None = about(
        "What it does to fit, form, function and reliability.",
        zh="影响评估",
        names="影响分析;变更影响;质量影响;impact;effect of change",
        default=None,
    )
    announced_on: dt.date | None = about(
        "Day of the notice.",
        zh="通知日期",
        names="发布日期;申请日期;提出日期;notification date;issue date;date of notice",
        default=None,
    )
    effective_on: dt.date | None = about(
        "Day from which it is delivered so.",
        zh="生效日期",
        names="实施日期;切换日期;计划实施日期;首批供货日期;effective date;implementation date;first ship date",
        default=None,
    )
    first_lot: str | None = about(
        "First lot after the change.",
        zh="首批批次",
        names="切换批次;首批批号;断点批次;first lot;first batch",
        ref="lot",
        via=("part", "maker"),
        default=None,
    )
    last_order_on: dt.date | None = about(
        "Last day on which the old can be ordered.",
        zh="最后订购日期",
        names="最后下单日期;最后采购日期;last time buy;last order date;ltb date",
        default=None,
    )
    last_delivery_on: dt.date | None = about(
        "Last day on which the old is delivered.",
        zh="最后供货日期",
        names="最后交货日期;停供日期;last time ship;last delivery date;last ship date",
        default=None,
    )
    replacement: str | None = about(
        "The part to take instead.",
        zh="替代物料",
        names="替代料号;替代型号;新料号;变更后料号;replacement;replacement part;successor",
        ref="part",
        default=None,
    )
    state: ChangeState | None = about(
        "How far it has come.", zh="状态", names="变更状态;审批状态;批准状态;status;state", default=None
    )


@entity(
    "approval",
    sheet="approvals",
    zh="合格供方",
    en="Approved supplier",
    plural="Approved suppliers",
    key=("supplier", "customer", "part", "category"),
    by_owner=True,
    aspect=Aspect.SUPPLY,
)
class Approval(Entity):
    """A customer has approved a supplier, for a part, for a category of parts, or at all."""

    # (:Approval)-[:OF]->(:Organisation)
    supplier: str = about(
        "Who is approved.",
        zh="供应商代码",
        names=names.SUPPLIER + ";合格供方;合格供应商;供方名称",
        ref="organisation",
        drawn="OF",
    )
    customer: str | None = about(
        "By whom; the loading organisation where a sheet does not say.",
        zh="需方",
        names="采购方;客户代码;客户;customer;customer code",
        ref="organisation",
        default=None,
    )
    part: str | None = about(
        "For which part.", zh="物料编码", names=names.PART + ";" + names.DRAWING, ref="part", default=None
    )
    category: str | None = about(
        "For which category of parts.",
        zh="供货类别",
        names="供货范围;物料类别;产品类别;供应产品;供货产品;采购类别;category;commodity;scope",
        default=None,
        max_length=200,
    )
    status: ApprovalState | None = about(
        "How it stands.", zh="供方状态", names="状态;合格状态;准入状态;认证状态;status;approval status", default=None
    )
    grade: str | None = about(
        "Its rating, as the customer writes it.",
        zh="供方等级",
        names="等级;评级;供应商等级;评价等级;年度评级;绩效等级;grade;rating",
        default=None,
        max_length=32,
    )
    certificates: str | None = about(
        "Certificates that it holds.",
        zh="体系认证",
        names="认证;质量体系;资质;证书;certificates;certification",
        default=None,
    )
    valid_from: dt.date | None = about(
        "From when.",
        zh="准入日期",
        names="生效日期;合格日期;批准日期;有效期起;valid from;approved on;approval date",
        default=None,
    )
    valid_to: dt.date | None = about(
        "Until when.",
        zh="有效期至",
        names="有效期;到期日期;失效日期;有效期止;复评日期;valid to;expiry date",
        default=None,
    )

    ROW_RULES = (
        RowRule(
            "approval.dates",
            ("valid_from", "valid_to"),
            lambda: pl.col("valid_to") < pl.col("valid_from"),
            Text("有效期止早于起。", "It ends before it begins."),
            _DATES,
        ),
    )
