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
