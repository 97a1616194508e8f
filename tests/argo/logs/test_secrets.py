"""No secret gets into the log, wherever it comes from."""

import logging
import time
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from argo.logs.secrets import hider, known_secrets
from signals.keys import PREFIX_LENGTH
from tests.argo.logs.conftest import Lines

logger = logging.getLogger("sync.secrets")
PASSWORD = "pa/ss w%rd-7"
ENCODED = "pa%2Fss%20w%25rd-7"


@pytest.fixture
def own(settings: Settings) -> Iterator[Settings]:
    """Set every secret that Argo has."""
    settings.SECRET_KEY = "django-secret-key-1"
    settings.ALPINE_API_KEY = "alpine-key-2"
    settings.ALPACA_API_KEY = "ALPACAKEY3"
    settings.ALPACA_SECRET_KEY = "alpaca/secret+4"
    settings.CELERY_BROKER_URL = f"amqp://argo:{ENCODED}@broker.example:5672//"
    settings.DATABASES["default"]["PASSWORD"] = "database-password-5"
    settings.NOTIFY_URLS = ["tgram://123456:bot-token-6/chat"]
    yield settings
    settings.DATABASES["default"]["PASSWORD"] = ""


SECRETS = [
    "django-secret-key-1", "alpine-key-2", "ALPACAKEY3", "alpaca/secret+4", "alpaca%2Fsecret%2B4",
    PASSWORD, ENCODED, "database-password-5", "tgram://123456:bot-token-6/chat",
]  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_the_settings_secrets_are_hidden_in_every_field(
    own: Settings, text_log: Lines, json_log: Lines, secret: str
) -> None:
    for handler in (text_log, json_log):
        handler.setFormatter(type(handler)("json").formatter)  # made after the settings changed
    try:
        raise ValueError(f"refused: {secret}!")
    except ValueError:
        logger.exception("With %s", secret, extra={"signal_id": secret})

    assert secret not in text_log.last + json_log.last
    assert json_log.fields["event"] == "With ***"
    assert json_log.fields["signal_id"] == "***"
    assert "refused: ***!" in json_log.fields["exception"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at redis://:pw@host:6379/0", "at redis://:***@host:6379/0"),
        ("at postgres://argo:p@w:1@db.example/x.", "at postgres://argo:***@db.example/x."),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer ***"),
        ("Authorization: Basic YTpi", "Authorization: Basic ***"),
        ("{'X-API-Key': 'k-1', 'a': 1}", "{'X-API-Key': '***', 'a': 1}"),
        ("{'APCA-API-SECRET-KEY': b'k-1'}", "{'APCA-API-SECRET-KEY': b'***'}"),
        ('{"password": "x1"}', '{"password": "***"}'),
        ("host=db password=x1 user=a", "host=db password=*** user=a"),
        ("AWS_SECRET_KEY=x1", "AWS_SECRET_KEY=***"),
        ("Cookie: sessionid=abc; csrftoken=def", "Cookie: ***; csrftoken=***"),
        ("key argo_" + "a1-_" * 10 + "abc is wrong", "key *** is wrong"),
        ("bearer abcdefgh12345", "bearer ***"),
        ("the key of AAPL", "the key of AAPL"),
        ("http://localhost:8000/a@b", "http://localhost:8000/a@b"),
        ("Alpine refuses the key (401). Correct ALPINE_API_KEY.", None),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, shown: str | None) -> None:
    assert hider([])(text) == (shown or text)


def test_a_field_with_a_secrets_name_is_hidden(json_log: Lines) -> None:
    from structlog.contextvars import bound_contextvars

    with bound_contextvars(api_key="x1", password="x2", key_name="the desk"):
        logger.error("one")
    assert (json_log.fields["api_key"], json_log.fields["password"]) == ("***", "***")
    assert json_log.fields["key_name"] == "the desk"


def test_a_secret_is_not_cut_into_a_part_that_shows(json_log: Lines, settings: Settings) -> None:
    settings.ALPINE_API_KEY = "0123456789abcdef"
    json_log.setFormatter(type(json_log)("json").formatter)
    logger.error("%s", "x" * 3990 + settings.ALPINE_API_KEY)
    assert "0123" not in json_log.last


def test_a_short_secret_does_not_spoil_every_word() -> None:
    assert hider(["a", "pw"])("a pwned signal") == "a pwned signal"


def test_the_beginning_of_a_key_is_shown_as_in_the_admin_site() -> None:
    prefix = ("argo_" + "x" * 43)[:PREFIX_LENGTH]
    assert hider([])(f"No valid key begins with {prefix}.") == f"No valid key begins with {prefix}."


def test_settings_without_passwords_have_none(settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "redis://host:1/0"
    assert "" not in known_secrets(settings)


@pytest.mark.parametrize("piece", ["://a:", "bearer ", "password=", "a_", "token: ", "\x00", "://"])
def test_hostile_text_is_looked_through_in_linear_time(piece: str) -> None:
    hide = hider(["0123456789abcdef"])
    text = piece * (60_000 // len(piece))
    began = time.perf_counter()
    hide(text)
    assert time.perf_counter() - began < 1
