"""Names that spreadsheets use for what several kinds have; from column headings seen in the field, ours to extend."""

PART = (
    "物料编码;物料编号;物料号;料号;存货编码;零件号;零部件号;零件编号;件号;产品编码;产品物料编码;配件编号;编码;零部件代码;"
    "part no;part number;part_no;pn;p/n;material code;material no;item code;item no;sku;mpn;oem part number"
)
CUSTOMER_PART = "客户料号;客户零件号"
FAULTY_PART = "故障件编号;故障件图号"
DRAWING = "图号;零件图号;产品图号;图样代号;图纸编号;drawing no;drawing number;dwg no"
NAME_ZH = "名称;中文名称;name"
PART_NAME = "物料名称;零件名称;零部件名称;产品名称;品名;存货名称;产品物料名称;物料描述;part name;item name;product name"
UNIT = "单位;计量单位;uom"
SUPPLIER = (
    "供应商代码;供应商编码;供应商编号;厂商代码;供方代码;配套厂代码;supplier code;vendor code;vendor no;supplier id;"
    "供应商名称;供应商;厂商;供方;供应商简称;supplier name;vendor;vendor name"
)
MAKER = SUPPLIER + (";生产厂家;制造商;配套厂家;故障件生产厂家;故障件生成厂家;制造厂;manufacturer")
USCC = "统一社会信用代码;社会信用代码;信用代码;营业执照号;unified social credit code;business license no"
REGION = "所在地;省市;所属区域;地区;区域;行政区划代码;行政区划;location;city;province"
LOT = (
    "批次号;批号;批次;生产批次;供应商批次号;供方批次;炉号;炉批号;熔炼号;来料批次;lot no;batch;batch no;batch number;heat no;"
    "date code;d/c"
)
MADE_ON = "生产日期;制造日期;下线日期;出厂日期;build date;production date;manufacture date;mfg date"
SOLD_ON = (
    "销售日期;购车日期;交付日期;投运日期;启用日期;验收日期;sale date;delivery date;in-service date;commissioning date"
)
HAPPENED_ON = "故障日期;故障时间;失效日期;发生日期;报修日期;报修时间;维修日期;停机时间点;failure date;event date;fault date;breakdown time"
MECHANISM = "失效机理;潜在失效机理;失效机制;故障机理;failure mechanism"
MODE = "失效模式;故障模式;潜在失效模式;潜在故障模式;不良模式;缺陷名称;failure mode;potential failure mode;defect"
REMARK = "备注;说明;其他;remark;notes;comment"
