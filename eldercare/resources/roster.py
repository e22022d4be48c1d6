"""The roster's columns (contract «Roster»), declared once for the command, the pages and the admin."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from import_export.fields import Field
from import_export.resources import Resource

from eldercare.choices import Kind
from eldercare.resources import widgets
from organization.area_names import AreaNames

VERSION = "1.0"


class RosterField(Field):
    """A column: name, other names it goes by, widget, and what it says.

    kinds: circumstances that the column speaks about; a file with the column and a blank cell ends them.
    help: the sentence on the template's notes sheet.
    """

    def __init__(
        self,
        column_name: str,
        widget: widgets.CellWidget,
        *,
        synonyms: str = "",
        kinds: tuple[Kind, ...] = (),
        required: bool = False,
        help: str = "",
    ) -> None:
        super().__init__(column_name=column_name, widget=widget)
        self.synonyms = tuple(synonyms.split())
        self.kinds = kinds
        self.required = required
        self.help = help

    @property
    def names(self) -> Iterator[str]:
        """The column's name and its synonyms."""
        yield self.column_name
        yield from self.synonyms


def _yes(column_name: str, kind: Kind, synonyms: str = "") -> RosterField:
    return RosterField(
        column_name, widgets.YesWidget(), kinds=(kind,), synonyms=synonyms, help="是的填“是”，不是的留空"
    )


def _choice(
    column_name: str, kind: Kind, words: Mapping[str, tuple[str, ...]], synonyms: str = ""
) -> RosterField:
    return RosterField(
        column_name,
        widgets.ChoiceWidget(words),
        kinds=(kind,),
        synonyms=synonyms,
        help=f"填 {'、'.join(words)} 之一，没有的留空",
    )


class RosterResource(Resource):
    """The columns; an instance knows the areas and the day on which it reads."""

    name = RosterField(
        "姓名", widgets.NameWidget(), required=True, synonyms="老人姓名 老年人姓名", help="按证件填写"
    )
    id_number = RosterField(
        "身份证号码",
        widgets.IdNumberWidget(),
        required=True,
        synonyms="身份证号 公民身份号码 公民身份证号码 身份证 证件号码 证件号 "
        "老人身份证号 老人身份证号码 居民身份证号码",
        help="18 位，文本格式；15 位旧号自动升位",
    )
    hukou = RosterField(
        "户籍区划",
        widgets.AreaWidget(),
        kinds=(Kind.HUKOU,),
        required=True,
        synonyms="户籍地址 户籍地 户籍所在地 户口所在地 户籍区划代码",
        help="12 位区划代码，或“镇（街）/村（社区）”",
    )
    township = RosterField(
        "镇（街）",
        widgets.TextWidget(60),
        synonyms="镇街 乡镇 镇 街道 乡镇街道 镇街道 所属乡镇 所属镇街",
        help="与“村（社区）”合起来代替户籍区划",
    )
    village = RosterField(
        "村（社区）", widgets.TextWidget(60), synonyms="村社区 村 社区 村居 村委会 行政村 所属村 所属社区"
    )
    residence = RosterField(
        "居住区划",
        widgets.AreaWidget(),
        kinds=(Kind.RESIDENCE,),
        synonyms="居住地区划 现居住区划 居住地 居住区划代码",
        help="与户籍区划相同的留空",
    )
    ethnicity = RosterField("民族", widgets.EthnicityWidget(), help="例如 汉族")
    address = RosterField(
        "住址", widgets.TextWidget(200), synonyms="现住址 家庭住址 居住地址 现居住地址 详细地址"
    )
    phone = RosterField(
        "联系电话",
        widgets.PhoneWidget(),
        synonyms="老人联系方式 老人联系电话 电话 手机 手机号 手机号码 联系方式 电话号码",
    )
    head_id_number = RosterField(
        "户主身份证号码", widgets.HeadIdWidget(), synonyms="户主身份证 户主身份证号 户主证件号码"
    )
    relation = RosterField("与户主关系", widgets.TextWidget(20), synonyms="与户主的关系 户主关系")
    destitute = _choice(
        "特困供养",
        Kind.DESTITUTE,
        {"分散": ("分散供养", "分散特困"), "集中": ("集中供养", "集中特困")},
        "特困 特困供养方式 供养方式",
    )
    self_care = _choice(
        "自理能力",
        Kind.SELF_CARE,
        {
            "全自理": ("自理", "完全自理", "能自理"),
            "半护理": ("半自理", "半失能", "部分自理"),
            "全护理": ("不能自理", "全失能", "完全不能自理", "不自理"),
        },
        "生活自理能力",
    )
    low_income_allowance = _yes("低保", Kind.LOW_INCOME_ALLOWANCE, "是否低保 低保对象 最低生活保障")
    low_income_marginal = _yes("低保边缘", Kind.LOW_INCOME_MARGINAL, "是否低保边缘 低保边缘家庭 低边")
    low_income = _yes("低收入", Kind.LOW_INCOME, "低收入家庭 是否低收入")
    living = RosterField(
        "居住状况",
        widgets.LivingWidget(),
        kinds=(Kind.LIVES_ALONE, Kind.EMPTY_NEST, Kind.LEFT_BEHIND),
        synonyms="居住情况 独居空巢留守",
        help="独居、空巢、留守，可填几项，用“、”分开",
    )
    family_planning = _choice(
        "计生特殊",
        Kind.FAMILY_PLANNING,
        {"独生子女死亡": ("死亡", "失独"), "独生子女伤残": ("伤残",)},
        "计生特殊家庭 计划生育特殊家庭",
    )
    veteran_category = RosterField(
        "优抚类别",
        widgets.WordWidget(60),
        kinds=(Kind.VETERAN_CATEGORY,),
        synonyms="优抚对象 优抚类型 优抚对象类别",
    )
    no_supporter = _yes("无赡养人", Kind.NO_SUPPORTER, "无法定赡养人")
    regular_pension = _yes("定期抚恤", Kind.REGULAR_PENSION, "定期抚恤补助")
    disability_type = _choice("残疾类别", Kind.DISABILITY_TYPE, widgets.DISABILITIES, "残疾类型 残疾种类")
    disability_level = _choice("残疾等级", Kind.DISABILITY_LEVEL, widgets.LEVELS, "残疾级别")
    disability_card = RosterField(
        "残疾证号", widgets.DisabilityCardWidget(), synonyms="残疾证号码 残疾人证号 残疾证"
    )
    disability_until = RosterField(
        "残疾证有效期至",
        widgets.LongTermDateWidget(),
        synonyms="残疾证有效期 残疾证到期日 残疾证有效期止",
        help="残疾情形到这一天为止；长期的留空",
    )
    long_term_care = _yes("需长期照护", Kind.LONG_TERM_CARE, "需要长期照护 长期照护")
    dementia = _yes("失智", Kind.DEMENTIA, "认知障碍 失智老人")
    ability_level = _choice(
        "能力等级", Kind.ABILITY_LEVEL, widgets.ABILITY, "老年人能力等级 评估等级 能力评估等级 失能等级"
    )
    assessed_on = RosterField(
        "评估日期", widgets.DateWidget(), synonyms="评估时间 能力评估日期", help="能力等级从这一天起有效"
    )
    institution = _choice(
        "入住机构",
        Kind.INSTITUTION,
        {
            "特困供养机构": ("敬老院", "特困机构", "特困人员供养机构"),
            "养老机构": ("养老院", "福利院", "护理院"),
            "医院": ("住院",),
        },
        "入住机构类型 机构类型",
    )
    homeless = _yes("流浪乞讨", Kind.HOMELESS, "流浪乞讨人员")
    pension = _choice(
        "养老保险",
        Kind.PENSION,
        {
            "职工": ("职工养老保险", "城镇职工", "企业职工"),
            "城乡居民": ("城乡居民养老保险", "居民", "新农保", "城居保"),
        },
        "养老保险类型 基本养老保险",
    )
    pension_in_pay = _yes("领取养老金", Kind.PENSION_IN_PAY, "是否领取养老金")
    care_insurance = _yes("长护险", Kind.CARE_INSURANCE, "长期护理保险 是否参加长护险")
    death_date = RosterField(
        "死亡日期", widgets.DateWidget(), kinds=(Kind.DEATH,), synonyms="死亡时间 去世日期 去世时间"
    )
    moved_out_date = RosterField(
        "迁出日期", widgets.DateWidget(), kinds=(Kind.MOVED_OUT,), synonyms="迁出时间 户籍迁出日期"
    )
    verified = RosterField(
        "证件核实", widgets.YesWidget(), synonyms="证件已核实", help="号码不合规则但与证件一致的，填“是”"
    )
    starts = RosterField(
        "起始日期", widgets.DateWidget(), synonyms="生效日期 情形起始日期", help="本行情形从哪天起算"
    )
    bank = RosterField("开户行", widgets.TextWidget(80), synonyms="开户银行 银行 银行名称")
    account = RosterField(
        "银行账号",
        widgets.AccountWidget(),
        synonyms="银行卡号 账号 卡号 一卡通账号 社保卡号 一卡通卡号 银行帐号 帐号 社保卡账号",
        help="文本格式",
    )
    holder = RosterField(
        "账户户名", widgets.NameWidget(), synonyms="户名 开户名 账户名 持卡人", help="与姓名相同的留空"
    )
    contact_name = RosterField(
        "联系人", widgets.NameWidget(), synonyms="联系人姓名 监护人 紧急联系人 家属姓名"
    )
    contact_phone = RosterField(
        "联系人电话", widgets.PhoneWidget(), synonyms="联系人联系电话 联系人手机 紧急联系电话 家属电话"
    )
    note = RosterField("备注", widgets.TextWidget(500), synonyms="说明 附注")
    birth_date = RosterField(
        "出生日期",
        widgets.BirthDateWidget(),
        synonyms="出生年月 出生年月日",
        help="号码中没有真实日期时才需要",
    )
    sex = RosterField("性别", widgets.SexWidget(), help="可不填，以证件号码为准")

    def __init__(self, areas: AreaNames | None = None, today: date | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("id_number", "head_id_number"):
            self.fields[name].widget.today = today or date.max
        for field in (self.fields["hukou"], self.fields["residence"]):
            field.widget.areas = areas

    @classmethod
    def columns(cls) -> dict[str, RosterField]:
        """Attribute name → column, in the order of the template."""
        return dict(cls.fields)
