"""The closed sets of codes, each with its labels in both languages and the other ways to write it."""

from schema.core import Vocabulary


class Role(Vocabulary):
    """What an organisation is in a chain."""

    LEADER = "leader", "链主", "Chain leader", "链主企业", "龙头企业"
    SUPPLIER = "supplier", "供应商", "Supplier", "供方", "配套企业"
    LAB = "lab", "检测机构", "Laboratory", "实验室"
    UNIVERSITY = "university", "高校院所", "University or institute", "高校", "科研院所"
    ASSOCIATION = "association", "行业协会", "Association", "协会"
    AUTHORITY = "authority", "主管部门", "Authority", "监管部门"


class ChainLevel(Vocabulary):
    """Where in the chain a part stands (全链条: 原材料/元器件/零部件/整机与系统); not its depth in a bill of materials."""

    MATERIAL = "material", "原材料", "Raw material", "材料"
    COMPONENT = "component", "元器件", "Component"
    PART = "part", "零部件", "Part or assembly", "部件", "零件"
    SYSTEM = "system", "整机与系统", "Whole machine or system", "整机", "系统"


class FoundationClass(Vocabulary):
    """Which of the five foundations (五基) a part belongs to."""

    CORE_PART = "core_part", "核心基础零部件", "Core part"
    CORE_COMPONENT = "core_component", "核心基础元器件", "Core component"
    BASIC_SOFTWARE = "basic_software", "关键基础软件", "Basic software", "工业基础软件"
    BASIC_MATERIAL = "basic_material", "关键基础材料", "Basic material"
    BASIC_PROCESS = "basic_process", "先进基础工艺", "Basic process"


class Criticality(Vocabulary):
    """How much hangs on a part."""

    A = "A", "关键", "Critical", "关键件"
    B = "B", "重要", "Important", "重要件"
    C = "C", "一般", "General", "一般件"


class AgeUnit(Vocabulary):
    """What a part's age is counted in."""

    HOURS = "h", "小时", "Hours", "hour", "hrs", "hr", "时"
    CYCLES = "cycles", "次", "Cycles", "cycle", "次数", "循环"
    KILOMETRES = "km", "公里", "Kilometres", "kilometers", "千米"
    MONTHS = "months", "月", "Months", "month", "个月"


class Redundancy(Vocabulary):
    """How spare units of a group wait."""

    ACTIVE = "active", "热备", "Active", "并联", "工作贮备"
    STANDBY = "standby", "冷备", "Cold standby", "冷贮备", "旁联"


class SupplyStatus(Vocabulary):
    """What a supplier is to a customer for one part."""

    MAIN = "main", "主供", "Main source", "主要供应商", "一供"
    SECOND = "second", "二供", "Second source", "备供", "次供"
    SOLE = "sole", "独家", "Sole source", "独家供货", "独供"


class Event(Vocabulary):
    """How an observation of a life ended."""

    FAILURE = "failure", "失效", "Failed", "故障", "已失效", "failed", "是"
    SUSPENSION = "suspension", "在用", "Still alive", "截尾", "未失效", "censored", "suspended", "正常", "否"
    INTERVAL = "interval", "区间", "Failed between two ages", "区间失效"


class Origin(Vocabulary):
    """Where a life record comes from."""

    FIELD = "field", "现场", "Field", "现场维修", "市场"
    WARRANTY = "warranty", "索赔", "Warranty", "三包", "保修"
    TEST = "test", "试验", "Test", "台架试验"
    INSPECTION = "inspection", "检验", "Inspection", "来料检验"


class Stage(Vocabulary):
    """The stage of life that a record is from (全寿命: 研制/生产/使用/报废)."""

    DEVELOPMENT = "development", "研制", "Development", "研发"
    PRODUCTION = "production", "生产", "Production", "制造"
    USE = "use", "使用", "Use", "运行"
    DISPOSAL = "disposal", "报废", "Disposal", "退役"


class Metric(Vocabulary):
    """What a declared figure is; the value of a Weibull distribution is its scale."""

    MTBF = "mtbf", "MTBF", "Mean time between failures", "平均故障间隔时间", "平均无故障时间", "MTTF"
    FAILURE_RATE = "failure_rate", "失效率", "Failure rate", "故障率", "FIT"
    B10 = "b10", "B10寿命", "B10 life", "B10", "L10", "额定寿命"
    WEIBULL = "weibull", "威布尔分布", "Weibull distribution", "威布尔"
    EXPONENTIAL = "exponential", "指数分布", "Exponential distribution", "指数"


class UploadState(Vocabulary):
    """What has become of an upload."""

    LOADED = "loaded", "已入库", "Loaded"
    UNDONE = "undone", "已撤销", "Taken back"
    REPLACED = "replaced", "已替换", "Replaced"


class Aspects(Vocabulary):
    """What an agreement shares."""

    IDENTITY = "identity", "身份", "Identity"
    STRUCTURE = "structure", "结构", "Structure"
    SUPPLY = "supply", "供货", "Supply"
    RELIABILITY = "reliability", "可靠性", "Reliability"
    FAILURES = "failures", "失效数据", "Failures"
    COST = "cost", "成本", "Cost"


class Purpose(Vocabulary):
    """What somebody wants data for."""

    QUALITY = "quality", "质量改进", "Quality improvement", "质量"
    RECALL = "recall", "召回与安全", "Recall and safety", "召回", "安全"
    PLANNING = "planning", "供应规划", "Supply planning", "供应"
    RESEARCH = "research", "技术研究", "Research", "研究"
    OVERSIGHT = "oversight", "监管", "Oversight", "监督"


class Disclosure(Vocabulary):
    """How far an agreement lets figures be used; each includes those after it."""

    SHOW = "show", "可查看", "Shown", "查看"
    USE = "use", "仅参与计算", "Only used in computed results", "计算"
    POOL = "pool", "仅汇总对标", "Only pooled in benchmarks", "汇总"


class AtEnd(Vocabulary):
    """What becomes of shared data when an agreement ends."""

    KEEP = "keep", "保留", "Keep"
    DELETE = "delete", "删除", "Delete"


class AgreementState(Vocabulary):
    """How far a version of an agreement has come; only an accepted one gives rights."""

    PROPOSED = "proposed", "待确认", "Proposed", "提议"
    ACCEPTED = "accepted", "生效", "Accepted", "已接受"
    DECLINED = "declined", "已拒绝", "Declined"
    REVOKED = "revoked", "已撤销", "Revoked"
    REPLACED = "replaced", "已被新版替换", "Replaced by a later version"


class RequestState(Vocabulary):
    """What was answered to a request."""

    REQUESTED = "requested", "待答复", "Asked"
    GRANTED = "granted", "已同意", "Granted"
    DECLINED = "declined", "已拒绝", "Declined"


class AccessRole(Vocabulary):
    """What a person or program does for an organisation here."""

    ADMINISTRATOR = "administrator", "管理员", "Administrator", "admin"
    QUALITY = "quality", "链主质量人员", "Chain leader's quality team", "chain-leader", "leader"
    SUPPLIER = "supplier", "供应商", "Supplier"
    ANALYST = "analyst", "分析人员", "Analyst"
    EXPERT = "expert", "专家或检测机构", "Expert or laboratory", "lab"
    AUTHORITY = "authority", "主管部门", "Authority"
    AUDITOR = "auditor", "审计人员", "Auditor"


class Disposition(Vocabulary):
    """What becomes of what was inspected."""

    ACCEPTED = "accepted", "合格", "Accepted", "接收", "允收", "OK", "pass", "接受", "合格入库"
    CONCESSION = "concession", "让步接收", "Accepted under concession", "特采", "让步使用", "偏差接收", "use as is"
    SORTED = "sorted", "挑选使用", "Sorted", "挑选", "全检", "分选", "sort"
    REWORKED = "reworked", "返工", "Reworked", "返修", "rework"
    RETURNED = "returned", "退货", "Returned", "拒收", "退回", "不合格", "NG", "fail", "reject", "return to supplier"
    SCRAPPED = "scrapped", "报废", "Scrapped", "scrap"


class Verdict(Vocabulary):
    """What a test has shown."""

    PASSED = "passed", "合格", "Passed", "通过", "符合", "OK", "pass", "P"
    FAILED = "failed", "不合格", "Failed", "未通过", "不通过", "不符合", "NG", "fail", "F"
    RUNNING = "running", "进行中", "Still running", "试验中", "ongoing"


class SeverityClass(Vocabulary):
    """Severity by classes (GJB/Z 1391, MIL-STD-1629A)."""

    CATASTROPHIC = "I", "灾难的", "Catastrophic", "Ⅰ", "Ⅰ类", "I类", "灾难", "1类"
    CRITICAL = "II", "致命的", "Critical", "Ⅱ", "Ⅱ类", "II类", "致命", "严重", "2类"
    MARGINAL = "III", "中等的", "Marginal", "Ⅲ", "Ⅲ类", "III类", "临界", "中等", "一般", "3类"
    MINOR = "IV", "轻度的", "Minor", "Ⅳ", "Ⅳ类", "IV类", "轻度", "轻微", "4类"


class ActionPriority(Vocabulary):
    """How soon something is to be done (AIAG & VDA FMEA handbook)."""

    HIGH = "H", "高", "High", "高优先级"
    MEDIUM = "M", "中", "Medium", "中优先级"
    LOW = "L", "低", "Low", "低优先级"


class ProblemState(Vocabulary):
    """How far an 8D report has come."""

    OPEN = "open", "未关闭", "Open", "开立", "进行中", "处理中", "待处理", "in progress"
    CONTAINED = "contained", "已遏制", "Contained", "临时措施完成"
    SOLVED = "solved", "已解决", "Solved", "待验证", "验证中", "measures in place"
    CLOSED = "closed", "已关闭", "Closed", "关闭", "结案", "已结案"
    REJECTED = "rejected", "不成立", "Rejected", "已驳回", "not accepted"


class ChangeCategory(Vocabulary):
    """What a maker changes."""

    DESIGN = "design", "设计变更", "Design", "产品设计", "设计", "图纸变更"
    MATERIAL = "material", "材料变更", "Material", "材料", "原材料变更"
    PROCESS = "process", "工艺变更", "Process", "工艺", "制程变更", "过程变更"
    SITE = "site", "生产地变更", "Site", "场地变更", "产地变更", "工厂搬迁", "搬迁"
    EQUIPMENT = "equipment", "设备变更", "Equipment", "设备", "工装模具变更", "模具变更", "tooling"
    SUPPLIER = "supplier", "供方变更", "Supplier", "供应商变更", "分供方变更"
    SOFTWARE = "software", "软件变更", "Software", "软件", "固件变更", "firmware"
    PACKAGING = "packaging", "包装变更", "Packaging", "包装", "标识变更"
    DISCONTINUATION = "discontinuation", "停产", "Discontinuation", "PDN", "EOL", "停产通知", "end of life"
    OTHER = "other", "其他", "Other", "其它"


class ChangeState(Vocabulary):
    """How far a change has come."""

    ANNOUNCED = "announced", "已通知", "Announced", "待批准", "待审批", "申请中", "issued", "pending"
    APPROVED = "approved", "已批准", "Approved", "同意", "批准"
    REJECTED = "rejected", "已拒绝", "Rejected", "不同意", "驳回"
    IMPLEMENTED = "implemented", "已实施", "Implemented", "已切换", "完成", "已完成"
    WITHDRAWN = "withdrawn", "已撤回", "Withdrawn", "取消", "cancelled"


class ApprovalState(Vocabulary):
    """What a supplier is to a customer that approves suppliers."""

    APPROVED = "approved", "合格", "Approved", "合格供方", "已准入", "正常", "有效"
    CONDITIONAL = "conditional", "有条件合格", "Conditionally approved", "试用", "限制使用", "暂时合格"
    CANDIDATE = "candidate", "潜在", "Candidate", "待准入", "开发中", "潜在供应商"
    SUSPENDED = "suspended", "暂停", "Suspended", "暂停供货", "冻结"
    REMOVED = "removed", "已取消", "Removed", "淘汰", "取消资格", "不合格", "退出"


class DraftState(Vocabulary):
    """How far an upload has come that somebody has begun."""

    OPEN = "open", "未确认", "Not confirmed yet"
    CONFIRMED = "confirmed", "正在入库", "Being taken"
    LOADED = "loaded", "已入库", "Loaded"
    REFUSED = "refused", "未收下", "Not taken"
    WITHDRAWN = "withdrawn", "已撤回", "Withdrawn"
