"""The roles of a machine: their names are checked, and each brings its processes."""

import pytest
from pytest_django import Settings

from argo.errors import InvalidInput
from argo.up.children import celery_nodes, names, specs, workers
from argo.up.roles import MEANING, Roles, all_roles, chosen
from tests.installation import Installation


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Let the database and the broker be those of several machines."""
    for module in ("roles", "children"):
        monkeypatch.setattr(f"argo.up.{module}.is_shared", lambda using: True)
    settings.CELERY_BROKER_URL = "redis://127.0.0.1/0"


def _queues(roles: Roles) -> set[str]:
    return {queue for worker in workers(roles) for queue in worker.queues}


def test_without_a_choice_all_roles_run_that_have_something_to_do(settings: Settings) -> None:
    assert names(chosen(None)) == ["web", "pages", "beat", "flush", "sync", "execution"]
    settings.MARKET_IS_LIVE, settings.RECORD_ORIGIN = True, "argo.example/record"
    assert chosen(None).names == set(MEANING)
    assert names(chosen(None))[-2:] == ["record", "generation"]


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web,flush", ["web", "pages", "flush"]),
        (" flush , web ", ["web", "pages", "flush"]),
        ("beat", ["beat"]),
        ("sync", ["sync"]),
        ("execution,flush", ["flush", "execution"]),
        ("flush", ["flush"]),
    ],
)
def test_a_role_brings_its_processes(text: str, expected: list[str]) -> None:
    roles = chosen(text)
    assert [spec.name for spec in specs(roles)] == names(roles) == expected
    assert len(celery_nodes(roles)) == len(set(expected) - {"web", "pages"})


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"name at least one of web, beat, flush"),
        (" , ", r"name at least one of web, beat, flush"),
        ("web,flsh", r"no role flsh; the roles are web, beat, flush, sync"),
        ("web", r"role web writes to the journal of this machine.*add flush"),
        ("execution", r"role execution writes .*add flush"),
        ("record,flush", r"record has nothing to do: set RECORD_ORIGIN"),
        ("generation,flush", r"generation has nothing to do: set MARKET_DATA"),
    ],
)
def test_a_choice_that_cannot_work_says_what_to_do(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=rf"--roles: .*{message}"):
        chosen(text)


def test_one_machine_with_sqlite_or_a_broker_in_a_folder_runs_everything(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInput, match=r"SQLite .*set DATABASE_URL"):
        chosen("web,flush")
    assert chosen(",".join(all_roles().names)) == all_roles()
    monkeypatch.setattr("argo.up.roles.is_shared", lambda using: True)
    settings.CELERY_BROKER_URL = "filesystem://localhost/"
    with pytest.raises(InvalidInput, match=r"folder .*set CELERY_BROKER_URL"):
        chosen("web,flush")


@pytest.mark.usefixtures("shared")
def test_the_lines_of_each_machine_are_entered_into_the_record_on_it(settings: Settings) -> None:
    assert _queues(chosen("flush")) == {"flush", "record"}
    settings.RECORD_ORIGIN = "argo.example/record"
    assert _queues(chosen("flush")) == {"flush", "record"}
    (flush, record) = workers(chosen("flush,record"))
    assert (flush.queues, record.queues) == (("flush",), ("record",))


def test_on_a_small_machine_all_but_the_flush_share_a_worker(settings: Settings) -> None:
    settings.MARKET_IS_LIVE = True
    small = chosen(None, is_small=True)
    assert names(small) == ["web", "beat", "flush", "work"]
    assert _queues(small) == _queues(chosen(None))
    flush, work = workers(small)
    assert flush.queues == ("flush",)  # a hung broker must not delay it
    assert work.threads == sum(worker.threads for worker in workers(chosen(None))[1:])


def test_the_roles_are_listed_and_a_wrong_one_ends_with_wrong_usage(
    installation: Installation,
) -> None:
    listed = installation.manage("up", "--help").stdout
    assert all(name in listed for name in MEANING)
    refused = installation.manage("up", "--roles", "wep")
    assert refused.returncode == 2
    assert "there is no role wep" in refused.stderr
    assert not (installation.folder / "up.lock").exists()
