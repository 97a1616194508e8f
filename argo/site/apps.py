"""Makes Argo's admin site the default one."""

from django.contrib.admin.apps import AdminConfig


class SiteConfig(AdminConfig):
    default_site = "argo.site.admin_site.ArgoSite"
