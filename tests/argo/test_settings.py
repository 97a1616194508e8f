"""Invalid settings are refused by name, and every setting is documented."""

import os
import re
import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from argo.environment import Environment
from argo.secret import load_or_make_secret
from tests.installation import ROOT, Installation


def test_the_example_says_the_defaults(tmp_path: Path) -> None:
    example = dict(re.findall(r"^([A-Z_]+)=(.+)$", (ROOT / ".env.example").read_text(), re.M))
    del example["ARGO_DATA_DIR"]
    show = (
        "from argo import settings as s; "
        "print({n: repr(v) for n, v in vars(s).items() if n.isupper()})"
    )
    plain, given = Installation(tmp_path), Installation(tmp_path, example)
    first, second = (argo.start("-c", show, stdout=-1).communicate()[0] for argo in (plain, given))
    assert first == second


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIGNAL_BATCH_SIZE", "many"),
        ("SIGNAL_BATCH_SIZE", "0"),
        ("SIGNAL_BATCH_TIMEOUT", "nan"),
        ("SIGNAL_POOL_SIZE", "6"),
        ("ARGO_DEBUG", "perhaps"),
        ("ARGO_LOG_LEVEL", "LOUD"),
        ("ARGO_LOG_LEVELS", "storage"),
        ("ARGO_LOG_LEVELS", "storage=LOUD"),
        ("ARGO_LOG_LEVELS", "cellar=DEBUG"),
        ("ARGO_LOG_LEVELS", "sync=INFO,sync=DEBUG"),
        ("ARGO_LOG_FORMAT", "xml"),
        ("REPORT_TIME", "24:00"),
        ("REPORT_TIME", "noon"),
        ("REPORT_KEEP_DAYS", "-1"),
        ("DATABASE_URL", "mysql://root:secret@host/x"),
        ("DATABASE_URL", "postgres://root:secret@host:notaport/x"),
        ("DATABASE_URL", "sqlite://:memory:"),
        ("DATABASE_URL", "postgres://root:secret@[host/x"),
        ("DATABASE_URL", "postgres://root:secret/x@host:5432/x"),
        ("CELERY_BROKER_URL", "carrier-pigeon://x"),
        ("CELERY_BROKER_URL", "memory://"),
        ("CELERY_BROKER_URL", "redis://:secret@host:notaport"),
        ("ARGO_ALLOWED_HOSTS", ","),
        ("ARGO_DATA_DIR", "/dev/null/x"),
    ],
)
def test_an_invalid_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    answer = Installation(tmp_path, {name: value}).manage("check")
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"Argo cannot start: {name}=")
    assert "secret" not in answer.stderr


def test_the_secret_key_is_created_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    key = load_or_make_secret(path)
    assert len(key) >= 50
    assert load_or_make_secret(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["secret.key"]


def test_defaults_are_safe(tmp_path: Path) -> None:
    show = "from argo import settings as s; print(s.DEBUG, s.WEB_HOST, '*' in s.ALLOWED_HOSTS)"
    shown = Installation(tmp_path).start("-c", show, stdout=-1).communicate()[0]
    assert shown.strip() == "False 127.0.0.1 False"


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%41b", "a b"])
def test_the_database_is_in_the_data_folder_whatever_its_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    Installation(folder).manage("migrate", "contenttypes", "--verbosity", "0").check_returncode()
    assert (folder / "signals.db").exists()
    assert os.listdir(tmp_path) == [name]


def test_a_misspelt_setting_gets_a_warning(tmp_path: Path) -> None:
    answer = Installation(tmp_path, {"SIGNAL_BATCHSIZE": "10"}).manage("check")
    assert "SIGNAL_BATCHSIZE is set, but there is no such setting" in answer.stderr


def test_a_dollar_in_a_value_is_a_dollar(tmp_path: Path) -> None:
    show = "from argo import settings as s; print(s.SECRET_KEY)"
    argo = Installation(tmp_path, {"ARGO_SECRET_KEY": "$HOME"})
    assert argo.start("-c", show, stdout=-1).communicate()[0].strip() == "$HOME"


def test_a_settings_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"ARGO_DEBUG=\xff")
    with pytest.raises(ImproperlyConfigured, match=re.escape(str(path))):
        Environment().load(path)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("nonsense", "'nonsense' is not NAME=DEBUG|INFO, or several separated by commas"),
        ("=DEBUG", "'=DEBUG' is not NAME=DEBUG|INFO"),
        ("cellar=DEBUG", "'cellar=DEBUG' is not for one of storage, sync"),
        ("sync=INFO,sync=DEBUG", "'sync=DEBUG' is not the only value for sync: keep one"),
        ("sync=LOUD", "'sync=LOUD' is not one of DEBUG, INFO for sync"),
    ],
)
def test_what_is_wrong_with_a_list_of_values_by_name_is_said(
    value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGO_LOG_LEVELS", value)
    with pytest.raises(ImproperlyConfigured) as error:
        Environment().choices(
            "ARGO_LOG_LEVELS", "", keys=["storage", "sync"], choices=["DEBUG", "INFO"]
        )
    assert f"ARGO_LOG_LEVELS={said}" in str(error.value)


def test_a_name_before_a_number_may_contain_spaces_and_equals_signs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = Environment()
    monkeypatch.setitem(environment.ENVIRON, "LIMITS", "breakout v2=85, ema(20)=80,a=b = 70")
    found = environment.numbers("LIMITS", "", minimum=0, maximum=100)
    assert found == {"breakout v2": 85.0, "ema(20)": 80.0, "a=b": 70.0}
