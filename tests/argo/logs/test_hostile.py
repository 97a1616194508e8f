"""Text from outside cannot forge a line, a field, or a command to the terminal."""

import logging
import re
import unicodedata
from collections.abc import Callable, Iterator

import pytest
from structlog.contextvars import bound_contextvars

from argo.logs.text import escaped
from signals.log_context import about_signal
from tests.argo.logs.conftest import Lines

FORGED = "2030-01-01T00:00:00.000Z ERROR argo: All signals are lost\tnode=forged"
HOSTILE = [
    f"a\n{FORGED}",
    f"a\r{FORGED}",
    f"a\r\n    | {FORGED}",
    f"a\x0b{FORGED}\x0c\x1c\x1d\x1e",
    f"a\x85{FORGED}\u2028{FORGED}\u2029",
    "a\x1b[2J\x1b]0;title\x07",
    "a\x9b2J\x90\x9c",
    "a\x00b\x7f\x08",
    "a\u202ebackwards\u2066\u200f\u061c",
    "a\ud800b\udfff",
    "a\u200b\ufeff\u2060\U000e0041",
]
logger = logging.getLogger("sync.hostile")


@pytest.fixture(autouse=True)
def not_reported(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep the texts out of pytest's reports: xdist cannot send half of a surrogate pair."""
    plugin = request.config.pluginmanager.getplugin("logging-plugin")
    assert plugin is not None
    for handler in (plugin.caplog_handler, plugin.report_handler):
        handler.addFilter(_nothing)
    yield
    for handler in (plugin.caplog_handler, plugin.report_handler):
        handler.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    return False


def _message(text: str) -> None:
    logger.error("The symbol is %s", text)


def _signal_id(text: str) -> None:
    with about_signal(text):
        logger.error("one")


def _context(text: str) -> None:
    with bound_contextvars(key_name=text, request_id=text, other=text):
        logger.error("one")


def _extra(text: str) -> None:
    logger.error("one", extra={"status_code": text, "signal_id": text})


def _logger_name(text: str) -> None:
    record = logging.LogRecord(text, logging.ERROR, "", 0, "one", (), None)
    logging.getLogger().handle(record)


def _error(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("It failed")


def _cause(text: str) -> None:
    try:
        try:
            raise ValueError(text)
        except ValueError as error:
            error.add_note(text)
            raise RuntimeError("second") from error
    except RuntimeError:
        logger.exception("It failed")


def _group(text: str) -> None:
    try:
        raise ExceptionGroup(text, [ValueError(text)])
    except ExceptionGroup:
        logger.exception("It failed")


def _syntax(text: str) -> None:
    try:
        raise SyntaxError(text, (text, 1, 1, text))
    except SyntaxError:
        logger.exception("It failed")


FIELDS = [_message, _signal_id, _context, _extra, _logger_name, _error, _cause, _group, _syntax]


def is_safe(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("log", FIELDS)
def test_no_field_forges_a_line(
    text_log: Lines, json_log: Lines, log: Callable[[str], None], text: str
) -> None:
    log(text)

    first, *rest = text_log.last.split("\n")
    assert all(line.startswith("    | ") for line in rest)
    head, separator, fields = first.partition("\t")
    assert separator
    assert all(map(is_safe, head + fields + "".join(rest)))
    assert "node=forged" not in re.sub(r'"(?:[^"\\]|\\.)*"', "", fields)
    assert all(map(is_safe, json_log.last))
    shown = str(json_log.fields)
    assert "\\\\" in shown or "\\n" in shown  # the text is there, as escape sequences


def test_an_item_of_a_traceback_is_one_line(json_log: Lines) -> None:
    _error('x\n  File "forged.py", line 1, in forged')
    lines = json_log.fields["exception"].split("\n")
    assert lines[-1] == 'ValueError: x\\n  File "forged.py", line 1, in forged'


def test_plain_text_stays_as_it_is() -> None:
    for text in ("plain", "naïve 東京 €", "back\\slash", "emoji \U0001f600"):
        assert escaped(text) == text


def test_each_character_has_one_escape_sequence() -> None:
    assert escaped("\n\r\t\0\x1b\x9b\u202e\ud800\U000e0041") == (
        r"\n\r\t\x00\x1b\x9b\u202e\ud800\U000e0041"
    )
