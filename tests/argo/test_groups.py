"""What users of each group may see and do in the admin site."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from argo.groups import ADMINISTRATOR, TRADER, VIEWER
from signals.config import flusher, journal
from signals.keys import create_key
from signals.models import ApiKey, DeadLetter

pytestmark = pytest.mark.django_db
KEYS, LETTERS = "/admin/signals/apikey/", "/admin/signals/deadletter/"
HALT = "/admin/execution/halt/halt/"
ACTIONS = {
    "signal": {"verify", "set_outcomes", "send_again", "execute"},
    "decision": {"execute"},
    "alert": {"read_again", "resolve"},
    "sender": {"revoke"},
    "deadletter": {"send_again", "resolve"},
    "delivery": {"send_again"},
    "eventdelivery": {"send_again"},
    "subscription": {"test", "revoke", "enable", "rotate_secret", "send_again"},
    "halt": {"lift"},
    "order": {"cancel"},
    "position": {"close"},
    "apikey": {"revoke"},
}
"""Every action of Argo's pages. A new one is added here, and so to the group that may use it."""
HIDDEN = {"apikey", "subscription"}
"""What only administrators see."""
LOOKING = {"signal": {"verify"}}
"""Those that change nothing, for everybody who may look."""
ADMINISTERED = HIDDEN | {"sender"}
"""What only administrators act on."""
DJANGOS_AND_EXPORTS = {"delete_selected", "export_csv", "export_jsonl", "export_parquet"}
OWN = ("signals", "sync", "execution")


@pytest.fixture(autouse=True)
def migrated(db: None) -> None:
    call_command("migrate", verbosity=0)


def member(*groups: str) -> User:
    user = User.objects.create_user(f"one-{'-'.join(groups)}", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def logged_in(*groups: str) -> Client:
    client = Client()
    client.force_login(member(*groups))
    return client


def offered(user: User) -> dict[str, set[str]]:
    """Return the actions that the pages of Argo's models offer to the user, but for exports and
    Django's own deletion."""
    request = RequestFactory().get("/admin/")
    request.user = user
    found = {
        model._meta.model_name: set(page.get_actions(request)) - DJANGOS_AND_EXPORTS
        for model, page in admin.site._registry.items()
        if model._meta.app_label in OWN
    }
    return {str(name): actions for name, actions in found.items() if actions}


def seen(client: Client) -> set[str]:
    """Return the models of Argo whose list the user may open."""
    names = [model._meta for model in admin.site._registry if model._meta.app_label in OWN]
    return {
        str(each.model_name)
        for each in names
        if client.get(f"/admin/{each.app_label}/{each.model_name}/").status_code == 200
    }


def everything() -> set[str]:
    models = admin.site._registry
    return {str(each._meta.model_name) for each in models if each._meta.app_label in OWN}


def test_a_viewer_sees_everything_but_keys_and_is_offered_nothing_that_changes() -> None:
    assert seen(logged_in(VIEWER)) == everything() - HIDDEN
    assert offered(User.objects.get()) == LOOKING


def test_a_trader_may_act_but_sees_no_key() -> None:
    assert seen(logged_in(TRADER)) == everything() - HIDDEN
    assert offered(User.objects.get()) == {
        name: actions for name, actions in ACTIONS.items() if name not in ADMINISTERED
    }


def test_an_administrator_may_do_all_of_it_and_make_users() -> None:
    client = logged_in(ADMINISTRATOR)
    assert seen(client) == everything()
    assert offered(User.objects.get()) == ACTIONS
    made = {"username": "ann", "usable_password": "false"}
    assert client.post("/admin/auth/user/add/", made).status_code == 302
    assert User.objects.filter(username="ann").exists()


def test_staff_without_a_group_see_and_do_nothing() -> None:
    assert seen(logged_in()) == set()
    assert offered(User.objects.get()) == {}


@pytest.mark.parametrize(("group", "status"), [(VIEWER, 403), (TRADER, 200), (ADMINISTRATOR, 200)])
def test_only_a_trader_or_an_administrator_may_halt(group: str, status: int) -> None:
    assert logged_in(group).get(HALT).status_code == status


@pytest.mark.parametrize("group", [VIEWER, TRADER])
def test_who_may_not_see_keys_cannot_revoke_one_either(group: str) -> None:
    create_key("mine", ["read"])
    key = ApiKey.objects.get()
    logged_in(group).post(KEYS, {"action": "revoke", "_selected_action": [key.pk]})
    assert ApiKey.objects.get().revoked_at is None
    logged_in(ADMINISTRATOR).post(KEYS, {"action": "revoke", "_selected_action": [key.pk]})
    assert ApiKey.objects.get().revoked_at is not None


def test_a_viewer_cannot_resolve_a_dead_letter() -> None:
    journal().append([b"garbage"])
    flusher().flush()
    letter = DeadLetter.objects.get()
    chosen = {"action": "resolve", "_selected_action": [letter.pk]}
    logged_in(VIEWER).post(LETTERS, chosen)
    assert DeadLetter.objects.get().resolved_at is None
    logged_in(TRADER).post(LETTERS, chosen)
    assert DeadLetter.objects.get().resolved_at is not None


def test_migrating_again_puts_each_group_back_as_it_should_be() -> None:
    viewer = Group.objects.get(name=VIEWER)
    before = set(viewer.permissions.values_list("codename", flat=True))
    viewer.permissions.set([Permission.objects.get(codename="change_halt")])
    call_command("migrate", verbosity=0)
    assert set(viewer.permissions.values_list("codename", flat=True)) == before
    assert {name for name in before if not name.startswith("view_")} == set()


@pytest.mark.parametrize("lookup", ["regex", "iregex"])
def test_no_page_tries_a_pattern_of_its_address(lookup: str) -> None:
    """One that takes for ever would stop the web server: on SQLite, Python tries it."""
    client = logged_in(VIEWER)
    for model in own_models():
        field = next(field for field in model._meta.fields if not field.is_relation)
        page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        answer = client.get(page, {f"{field.name}__{lookup}": "(a+)+b"})
        assert answer.status_code == (403 if model._meta.model_name in HIDDEN else 400), page


def test_no_page_fails_for_a_number_that_no_row_can_have() -> None:
    client = logged_in(ADMINISTRATOR)
    for model in own_models():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        assert client.get(reverse(name, args=[10**30])).status_code == 302, name


def own_models() -> list[type[Model]]:
    """Return the models of Argo's own pages."""
    return [model for model in admin.site._registry if model._meta.app_label in OWN]
