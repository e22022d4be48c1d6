"""Roles of the portal (domain §8) and what each may do."""

from django.db.models import TextChoices


class Role(TextChoices):
    """A user's part; every assignment binds it to an area and, where it matters, a bureau."""

    VILLAGE_WORKER = "village_worker", "村（社区）协管员"
    TOWNSHIP_CLERK = "township_clerk", "镇（街）经办人"
    TOWNSHIP_LEAD = "township_lead", "镇（街）负责人"
    BUREAU_CLERK = "bureau_clerk", "县民政局经办人"
    BUREAU_CHIEF = "bureau_chief", "县民政局分管领导"
    FINANCE = "finance", "财务人员"
    DEPARTMENT = "department", "责任单位工作人员"
    DATA_ADMIN = "data_admin", "数据管理员"
    SUPERVISOR = "supervisor", "监督审计人员"
    SYSTEM_ADMIN = "system_admin", "系统管理员"
    SECURITY_ADMIN = "security_admin", "安全管理员"
    AUDIT_ADMIN = "audit_admin", "审计管理员"


class Permission(TextChoices):
    """What a route asks for; `organization.grants.GRANTS` says which roles have it."""

    SIGNED_IN = "signed_in", "已登录"
    ELDER_VIEW = "elder_view", "查看老年人"
    ELDER_EXPORT = "elder_export", "导出老年人名单"
    ELDER_REVEAL = "elder_reveal", "查看完整证件号"
    ROSTER_IMPORT = "roster_import", "导入花名册"
    MONTH_VIEW = "month_view", "查看月度核定"
    MONTH_RUN = "month_run", "运行月度核定"
    MONTH_EXPORT = "month_export", "导出月度核定"
    CATALOG_VIEW = "catalog_view", "查看服务清单"
    AUDIT_VIEW = "audit_view", "查看审计日志"
