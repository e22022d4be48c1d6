from django.apps import AppConfig


class OrganizationConfig(AppConfig):
    """Areas (行政区划), bureaus (责任单位), users, roles and scopes."""

    name = "organization"
    verbose_name = "组织机构"
