"""Every finding of a load, by its code: how grave it is, what it says and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from schema.core import Severity
from schema.text import Text


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means; `{name}` marks in the texts are filled in from the finding."""

    severity: Severity
    text: Text
    remedy: Text


def _code(severity: Severity, zh: str, en: str, remedy_zh: str, remedy_en: str) -> Code:
    return Code(severity, Text(zh, en), Text(remedy_zh, remedy_en))


_AS_XLSX = (
    "请用电子表格软件另存为 XLSX 或 UTF-8 的 CSV 后重试。",
    "Save it from the spreadsheet as XLSX or as CSV in UTF-8 and send that.",
)
_SPLIT = (
    "请拆分文件，或删除数据区以外的单元格后重试。",
    "Split the file, or delete the cells beyond the data, and send it again.",
)

CODES: dict[str, Code] = {
    # the file
    "file.missing": _code("error", "文件不存在。", "There is no such file.", "请检查路径。", "Check the path."),
    "file.none": _code(
        "error",
        "文件夹中没有可读取的文件。",
        "The folder has no file of a format that is read.",
        "请检查路径。",
        "Check the path.",
    ),
    "file.format": _code("error", "不支持 {suffix} 格式。", "The format {suffix} is not supported.", *_AS_XLSX),
    "file.empty": _code(
        "error", "文件是空的。", "The file is empty.", "请检查导出是否成功。", "Check whether the export worked."
    ),
    "file.too_large": _code(
        "error",
        "文件超出限制（{limit}），已停止读取。",
        "The file is beyond a limit ({limit}); reading was stopped.",
        *_SPLIT,
    ),
    "file.too_wide": _code(
        "error", "有 {columns} 列，最多 {limit} 列。", "It has {columns} columns; {limit} are the most.", *_SPLIT
    ),
    "file.line_too_long": _code("error", "第一行超过 {limit}。", "Its first line is longer than {limit}.", *_AS_XLSX),
    "file.not_text": _code(
        "error", "不是文本文件（含空字节）。", "It is not a text file (it has null bytes).", *_AS_XLSX
    ),
    "file.encoding": _code(
        "error", "无法按 {tried} 解码（第 {byte} 字节）。", "It cannot be decoded as {tried} (byte {byte}).", *_AS_XLSX
    ),
    "file.quotes": _code(
        "error",
        "第 {row} 行的引号不成对或未转义。",
        "A quotation mark in row {row} is not closed or not doubled.",
        "请将单元格内的引号写成两个，或另存为 XLSX。",
        "Double the quotation marks inside cells, or save it as XLSX.",
    ),
    "file.damaged": _code("error", "文件已损坏：{reason}", "The file is damaged: {reason}", *_AS_XLSX),
    "file.not_what_it_says": _code(
        "error", "文件名说是 {said}，内容却是 {found}。", "The name says {said}, the content is {found}.", *_AS_XLSX
    ),
    "file.read_as": _code(
        "warning",
        "文件名说是 {said}，内容是 {found}，已按 {found} 读取。",
        "The name says {said}, the content is {found}; it was read as {found}.",
        "无需处理；下次请用正确的扩展名。",
        "Nothing needs to be done; give it the right suffix next time.",
    ),
    "file.macros": _code(
        "info",
        "文件含宏，宏不会运行，只读取单元格。",
        "The file has macros; they are never run, only cells were read.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "file.encrypted": _code(
        "error",
        "文件已加密，无法读取。",
        "The file is encrypted and cannot be read.",
        "请在电子表格软件中取消密码保护，另存后重新上传。",
        "Take the password off in the spreadsheet, save it and send it again.",
    ),
    "file.decoded": _code(
        "info",
        "按 {encoding} 解码，前几行为：{rows}",
        "Decoded as {encoding}; the first rows read: {rows}",
        "如有乱码，请另存为 UTF-8 的 CSV 或 XLSX。",
        "If that reads wrong, save it as CSV in UTF-8 or as XLSX.",
    ),
    # sheets and columns
    "sheet.hidden": _code(
        "info",
        "隐藏的工作表未读取。",
        "A hidden sheet was not read.",
        "如需读取请取消隐藏。",
        "Unhide it if it should be.",
    ),
    "sheet.no_rows": _code(
        "warning",
        "只有表头，没有数据。",
        "It has a header and no rows.",
        "请检查导出是否成功。",
        "Check whether the export worked.",
    ),
    "sheet.unknown": _code(
        "warning",
        "不能确定表的类型，{rows} 行原样保存，待归类。最接近：{closest}。",
        "Its kind is not known; {rows} rows are kept as they are. Closest: {closest}.",
        "请用模板的列名，或以数据集表名（如 life_records.csv）命名文件。",
        "Use the column names of a template, or name the file after a sheet of the dataset (life_records.csv).",
    ),
    "column.hidden": _code(
        "info",
        "隐藏的列（{letter}）未采用。",
        "A hidden column ({letter}) was not used.",
        "如需采用请取消隐藏。",
        "Unhide it if it should be used.",
    ),
    "row.hidden": _code(
        "info",
        "有 {count} 行被隐藏或筛选掉，仍已读取。",
        "{count} rows are hidden or filtered out; they were read all the same.",
        "如不应上传，请删除这些行。",
        "Delete them if they should not be sent.",
    ),
    "row.total": _code(
        "info",
        "合计行，不作为记录。",
        "A row of totals; it is no record.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "row.footer": _code(
        "info",
        "表尾（签字、说明），不作为记录。",
        "A footer (signatures, notes); it is no record.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "row.header_again": _code(
        "info",
        "重复的表头，不作为记录。",
        "The header again; it is no record.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "bom.jump": _code(
        "warning",
        "层级跳跃：上一级缺失，已归入上方最近的较高层级。",
        "A level is left out; it was put below the nearest line above with a smaller level.",
        "请核对层级。",
        "Check the level.",
    ),
    "bom.no_level": _code(
        "error",
        "没有层级，不知道属于哪个父件，该行未作为构成关系。",
        "It has no level, so nobody knows what it is in; it became no line of the bill.",
        "请填写层级。",
        "Give the level.",
    ),
    "bom.no_parent": _code(
        "error",
        "上方没有较高层级的行，没有父件，该行未作为构成关系。",
        "No line above has a smaller level, so it is in nothing; it became no line of the bill.",
        "请补充父件的行，或更正层级。",
        "Add the line of what it is in, or correct the level.",
    ),
    "bom.no_number": _code(
        "error",
        "没有物料编码。",
        "It has no number.",
        "请填写物料编码。",
        "Give the number.",
    ),
    "bom.no_quantity": _code(
        "warning",
        "没有用量，按 1 计。",
        "It has no quantity; it was taken as 1.",
        "请补充用量。",
        "Give the quantity.",
    ),
    "bom.roots": _code(
        "info",
        "又一个顶层件；一张表有多个产品。",
        "Another thing that is in nothing: there are several products on the sheet.",
        "如不是产品，请更正层级。",
        "Correct the level if it is in something.",
    ),
    "bom.phantom": _code(
        "info",
        "虚拟件按普通零部件处理。",
        "A phantom was taken as a part like any other.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "bom.repeated": _code(
        "info",
        "该件的下级在前面已完全相同地列出，只取一次。",
        "What is in it was listed in the same way further up, and was taken once.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "bom.differs": _code(
        "warning",
        "该件在表中多次出现，下级不同。",
        "It stands on the sheet more than once, with something else in it each time.",
        "请核对；不同的构成请用不同的物料编码。",
        "Check it; what is made in another way needs another number.",
    ),
    "bom.per_product": _code(
        "warning",
        "列名像是单台产品的用量，而上级用量不是 1；已按每个父件的用量采用，未作换算。",
        "The column seems to count for each product, and what it is in is there more than once; it was taken as the "
        "number in one parent, and not divided.",
        "请核对；如为单台产品用量，请改为每个父件的用量。",
        "Check it; if it counts for a product, give the number in one parent.",
    ),
    "bom.total_quantity": _code(
        "error",
        "总用量不能直接作为每个父件的用量（上级用量不是 1），该行未作为构成关系。",
        "The total is not the number in one parent, as what it is in is there more than once; it became no line of the "
        "bill.",
        "请补充每个父件的用量。",
        "Give the number in one parent.",
    ),
    "column.missing": _code(
        "error",
        "缺少必需的列“{label}”（{field}）。",
        "The required column {label} ({field}) is missing.",
        "请补充该列；可用的列名：{names}。",
        "Add it; names that are understood: {names}.",
    ),
    "column.twice": _code(
        "warning",
        "与“{first}”含义相同（{field}），未采用，原样保存。",
        "It means the same as {first} ({field}); it was not used, and kept as it is.",
        "请删除其中一列。",
        "Delete one of the two.",
    ),
    "column.unmapped": _code(
        "info",
        "不认识的列，原样保存。{closest}",
        "A column that is not known; kept as it is. {closest}",
        "如需采用，请改用建议的列名。",
        "To have it used, take a name that was suggested.",
    ),
    "column.personal": _code(
        "info", "含个人信息，未保存。", "Personal data; not stored.", "无需处理。", "Nothing needs to be done."
    ),
    "column.hashed": _code(
        "info",
        "车辆识别号等已替换为不可逆的代号。",
        "Vehicle numbers were replaced by keyed hashes.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "column.looks_personal": _code(
        "warning",
        "内容像{what}，整列未保存。",
        "Its cells look like {what}; the column was not stored.",
        "请在上传前删除该列。",
        "Delete the column before sending the file.",
    ),
    "column.masked": _code(
        "warning",
        "有 {count} 个单元格含像{what}的内容，已遮盖。",
        "{count} cells contain what looks like {what}; that was masked.",
        "请在上传前删除个人信息。",
        "Take personal data out before sending the file.",
    ),
    "column.unit": _code(
        "error",
        "不认识列名中的单位“{unit}”。",
        "The unit {unit} in the column's name is not known for it.",
        "请换算为 {expected}。",
        "Convert it to {expected}.",
    ),
    # lives in files of their own
    "sheet.shape": _code(
        "error",
        "不是寿命数据：没有寿命列（age），也看不出是退货矩阵、索赔、月度合计或试验结果。",
        "These are no life records: there is no column of ages (age), nor do the headings tell of a return matrix, "
        "claims, monthly totals or test results.",
        "请补充 age 列，或用 --shape 指明形式。可用的列名：{names}。",
        "Add a column age, or say the shape. Names that are understood: {names}.",
    ),
    "sheet.convert": _code(
        "error",
        "这是{what}，不是寿命数据。",
        "This is {what}, not life records.",
        "请先用 chaingraph lives 转换。",
        "Convert it with chaingraph lives first.",
    ),
    "sheet.no_population": _code(
        "error",
        "只有索赔，没有售出数量。",
        "There are claims, and nothing says how many were sold.",
        "请补充销量列、发货工作表，或用 --population 给出发货文件。",
        "Add a column sold, a sheet of shipments, or name a file of shipments with --population.",
    ),
    "value.count": _code(
        "error", "不是台数。", "It is not a number of units.", "请填写非负整数。", "Give a whole number, 0 or more."
    ),
    "row.before_sale": _code(
        "error",
        "发货之前就有退货。",
        "Units came back before they were shipped.",
        "请更正月份或数量。",
        "Correct the month or the number.",
    ),
    "column.event_assumed": _code(
        "warning",
        "未说明是否失效的行按失效计。",
        "Rows that do not say how they ended are taken as failures.",
        "仍在使用的请填写 suspension。",
        "Write suspension where units were still alive.",
    ),
    "column.age_range": _code(
        "warning",
        "寿命从 {low} 到 {high}，相差 {decades} 个数量级。",
        "Ages go from {low} to {high}, over {decades} powers of ten.",
        "请检查单位是否一致。",
        "Check whether all are in one unit.",
    ),
    "column.mixed_units": _code(
        "warning",
        "寿命有多个单位：{units}。",
        "Ages are in several units: {units}.",
        "请按单位分组，或换算为一个单位。",
        "Group them by unit, or convert them to one.",
    ),
    "row.says_nothing": _code(
        "warning",
        "寿命为 0 的在用记录不含信息，未采用。",
        "Alive at age 0 says nothing; it is not counted.",
        "请填写已达到的寿命。",
        "Give the age that was reached.",
    ),
    # uploads taken back
    "upload.undone": _code(
        "info",
        "此前已经撤销，没有更改。",
        "It had been taken back before; nothing changed.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "upload.replaced": _code(
        "info",
        "已被另一次上传替换，没有更改。",
        "Another upload has replaced it; nothing changed.",
        "如要恢复它，请撤销替换它的那次上传。",
        "To have it back, undo the upload that replaced it.",
    ),
    "upload.back": _code(
        "info",
        "它曾被替换，现已恢复（{upload}）。",
        "It had been replaced and is there again ({upload}).",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    # cells and rows
    "value.number": _code("error", "不是数字。", "It is not a number.", "请填写数字。", "Give a number."),
    "value.integer": _code("error", "不是整数。", "It is not a whole number.", "请填写整数。", "Give a whole number."),
    "value.date": _code("error", "不是日期。", "It is not a date.", "请写成 2025-03-01。", "Write it as 2025-03-01."),
    "value.boolean": _code("error", "不是是/否。", "It is not yes or no.", "请填写 是 或 否。", "Write yes or no."),
    "row.too_long": _code(
        "error",
        "单元格多于表头的列数。",
        "It has more cells than the header.",
        "检查是否有未加引号的分隔符。",
        "Look for a delimiter that is not in quotation marks.",
    ),
    "row.owner": _code(
        "error",
        "只有管理员可以用 owner 列代他人上传。",
        "Only an administrator may load for others with an owner column.",
        "请删除该列，或由管理员上传。",
        "Delete the column, or let an administrator load it.",
    ),
    "row.not_yours": _code(
        "error",
        "{what} 属于 {owner}，不能由你修改。",
        "{what} belongs to {owner} and is not yours to change.",
        "请联系其所有者或管理员。",
        "Ask its owner or an administrator.",
    ),
    "key.duplicate": _code(
        "error",
        "与 {other} 行的键相同而内容不同（{key}）。",
        "It has the key of row {other} and says something else ({key}).",
        "请合并或删除其中一行。",
        "Merge the two or delete one.",
    ),
    "row.only_part": _code(
        "info",
        "有 {count} 行只有零部件编码，没有其他内容，未采用。",
        "{count} rows have the number of a part and nothing else; they were passed over.",
        "如有数据请补充。",
        "Fill them in if there is something to say.",
    ),
    "key.repeated": _code(
        "info",
        "与前面的行完全相同，只取一次。",
        "It is equal to an earlier row and was taken once.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "life_record.repeated": _code(
        "warning",
        "有 {count} 行与另一份文件中的行完全相同，且无编号和序列号，只计一次。",
        "{count} rows without number and serial equal rows of another file; each is counted once.",
        "若是不同的个体，请补充编号或序列号。",
        "If they are other units, give their numbers or serials.",
    ),
    # agreements
    "agreement.terms_changed": _code(
        "error",
        "{agreement} 的条款不能更改。",
        "The terms of {agreement} do not change.",
        "请使用新的版本号。",
        "Use another version.",
    ),
    "agreement.state_change": _code(
        "error",
        "{agreement} 已了结，状态不能这样更改。",
        "{agreement} is settled; its state cannot become that.",
        "请使用新的版本号。",
        "Use another version.",
    ),
    "agreement.only_proposed": _code(
        "error",
        "{agreement}：文件只能提出协议，不能确认或撤销。",
        "{agreement}: a file of yours proposes; it neither accepts nor revokes.",
        "请将状态写成 proposed（或留空），再用 agreements accept、revoke 答复。",
        "Write proposed, or nothing; answer with agreements accept and revoke.",
    ),
    "agreement.other_sides": _code(
        "error",
        "{agreement} 的双方与同号的其他版本不同。",
        "{agreement} is between others than its other versions.",
        "请使用新的协议号。",
        "Use another number.",
    ),
    "agreement.two_hold": _code(
        "error",
        "同一协议有两个版本同时生效（{agreement}）。",
        "Two versions of one agreement would hold at once ({agreement}).",
        "请将旧版本的状态写成 replaced。",
        "Write the older one as replaced.",
    ),
    "agreement.itself": _code(
        "error",
        "{agreement} 的双方是同一组织。",
        "{agreement} is of an organisation with itself.",
        "请更正被授权方。",
        "Correct the grantee.",
    ),
    "row.contradicts": _code(
        "warning",
        "与 {owner} 的说法不同（{other}）。",
        "{owner} states otherwise ({other}).",
        "请核对；两种说法都会保留。",
        "Settle it with them; both statements are kept.",
    ),
    # documents of interchange standards
    "document.version": _code(
        "warning",
        "{format} 的版本 {version} 不在支持之列（{known}），按相近版本读取。",
        "Version {version} of {format} is not one of those known ({known}); it was read as if it were.",
        "请核对结果，或导出为已支持的版本。",
        "Check the outcome, or export it in a version that is known.",
    ),
    "document.unused": _code(
        "info",
        "{what} 没有对应的字段，未采用。",
        "There is no field for {what}; it was left out.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "document.missing": _code(
        "warning",
        "缺少 {what}，这一项未采用。",
        "{what} is missing; what needs it was left out.",
        "请在导出的系统中补充。",
        "Complete it in the system that the document comes from.",
    ),
    "document.bad_value": _code(
        "warning",
        "{what} 的值“{said}”无法采用。",
        "{said} cannot be taken as {what}; it was left out.",
        "请更正该值或其单位。",
        "Correct the value or its unit.",
    ),
    "document.contradiction": _code(
        "warning",
        "{what} 前后不一致：先是“{first}”，后是“{said}”；取前者。",
        "The document says two things of {what}: first {first}, then {said}; the first was taken.",
        "请更正文件。",
        "Correct the document.",
    ),
    "document.too_deep": _code(
        "warning",
        "嵌套超过 {limit} 层的部分未读取。",
        "What is nested deeper than {limit} levels was not read.",
        "请减少嵌套。",
        "Nest it less deeply.",
    ),
    "document.personal": _code(
        "info",
        "{count} 项个人信息未读取。",
        "{count} entries about persons were not read.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "document.hidden": _code(
        "info",
        "{count} 项已被发送方隐去，未采用。",
        "{count} entries were hidden by the sender; they were left out.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "document.unsold": _code(
        "info",
        "{count} 辆车没有销售日期，未投入使用，不计入。",
        "{count} vehicles have no date of sale: they are not in use and not counted.",
        "如已售出请补充销售日期。",
        "Give the date if they were sold.",
    ),
    "document.from_production": _code(
        "warning",
        "没有一辆车有销售日期，寿命从生产日期算起。",
        "No vehicle has a date of sale; ages count from the day of production.",
        "请补充销售日期。",
        "Give the dates of sale.",
    ),
    "document.lives": _code(
        "info",
        "{part} 的寿命单位为 {unit}；没有索赔的视为截至 {end} 仍完好。",
        "Ages of {part} are in {unit}; units without a claim were taken as alive on {end}.",
        "请核对截止日期；如该零部件在库中的寿命单位不同，请改为 {unit}，否则这些记录不参与计算。",
        "See whether claims are known up to that day; records count only while {unit} is the part's unit of age.",
    ),
    "document.later_claim": _code(
        "info",
        "{claim} 是同一件的后续索赔，寿命只算到第一次。",
        "{claim} is a later claim about a unit whose life ended with its first.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "document.no_population": _code(
        "warning",
        "没有说明哪些车装有 {part}，只有其失效记录，不能据此估计寿命。",
        "Nothing says which vehicles have {part}: only its failures are known, which tell no life.",
        "请一并发送带 parts 的车辆数据，或 SingleLevelBomAsBuilt。",
        "Send vehicles with their parts, or SingleLevelBomAsBuilt, in the same file.",
    ),
    "document.more": _code(
        "info",
        "另有 {count} 条 {which}。",
        "There are {count} more of {which}.",
        "请先处理已列出的。",
        "See to those that are listed first.",
    ),
    # questions
    # what cells leave open, and what is hardly meant
    "column.dates_settled": _code(
        "info",
        "有多种读法的日期按“{order}”读取：该单元格只能这样读。",
        "Days that could be read in several ways are read as {order}: this cell can be nothing else.",
        "如有误，请写成 2025-03-01。",
        "If that is wrong, write days as 2025-03-01.",
    ),
    "column.unit_settled": _code(
        "info",
        "单元格中都写明了单位（{unit}），按该单位读取。",
        "All cells say their unit ({unit}), which is that of the column.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
    "decisions.outdated": _code(
        "info",
        "以前对这种表的选择中有一些已不适用，未采用。",
        "Some of what was chosen for such a sheet before no longer exists, and was left out.",
        "请检查列对应关系。",
        "Look at what its columns are taken for.",
    ),
    "value.formula_error": _code(
        "error",
        "单元格中是公式错误。",
        "The cell has the error of a formula.",
        "请修正公式，或填写数值。",
        "Mend the formula, or fill in the value.",
    ),
    "value.inexact": _code(
        "error",
        "这是范围、界限或约数，不是一个数。",
        "It is a bound, a range or about a number, not a number.",
        "请填写一个数；区间失效请分列填写寿命（age）与区间上限（age_to），尚未失效请标为在用。",
        "Give one number: of a failure between two ages both, as age and age_to; of a unit still alive its age so far.",
    ),
    "value.date_doubtful": _code(
        "error",
        "日期早于 1990 年，多半有误。",
        "The day is before 1990, which is hardly meant.",
        "请更正，或在预览页确认无误。",
        "Correct it, or say in the preview that it is right.",
    ),
    "inspection.ppm": _code(
        "warning",
        "PPM 与 不合格数/检测数×10⁶（{expected}）不符。",
        "The PPM is not rejected / checked × 10⁶ ({expected}).",
        "请核对 PPM 或数量。",
        "Check the PPM or the numbers.",
    ),
    "question.open": _code(
        "error",
        "需要先回答：{question}",
        "This needs an answer first: {question}",
        "请在预览页回答，或在表头写明。",
        "Answer it in the preview, or say it in the heading.",
    ),
    # references
    "reference.stub": _code(
        "info",
        "所指的{kind}尚无资料，已建占位。",
        "The {kind} referred to is not described yet; a placeholder was made.",
        "如编码有误请更正，否则补充其资料。",
        "Correct the code if it is wrong, else describe it.",
    ),
    "reference.unknown": _code(
        "error",
        "没有这个{kind}。",
        "There is no such {kind}.",
        "请先载入，或更正编码。",
        "Load it first, or correct its code.",
    ),
    "reference.ambiguous": _code(
        "error",
        "该编码有多个发布方：{candidates}。",
        "Several issuers have this number: {candidates}.",
        "请写成 发布方/编码。",
        "Write it as ISSUER/NUMBER.",
    ),
}
