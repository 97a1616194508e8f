"""A line of the log: what it says, as text and as JSON."""

import logging
import re

import pytest
from structlog.contextvars import bound_contextvars

from signals.log_context import about_signal
from tests.argo.logs.conftest import Lines

logger = logging.getLogger("sync.some")


def test_a_line_as_text_has_time_level_logger_text_and_fields(text_log: Lines) -> None:
    with about_signal("abc123"):
        logger.warning("Sent %d of %s", 3, "these")

    head, _, fields = text_log.last.partition("\t")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING sync\.some: Sent 3 of these", head
    )
    assert re.fullmatch(r"signal_id=abc123 process=\S+ node=\S+", fields)


def test_a_line_as_json_has_the_same(json_log: Lines) -> None:
    with bound_contextvars(request_id="r1", key_name="the desk"), about_signal("abc123"):
        logger.error("Sent %d", 3)

    assert list(json_log.fields) == [
        "timestamp", "level", "logger", "event", "request_id", "key_name", "signal_id", "process",
        "node",
    ]  # fmt: skip
    expected = {"level": "error", "logger": "sync.some", "event": "Sent 3", "request_id": "r1",
                "key_name": "the desk", "signal_id": "abc123"}  # fmt: skip
    assert expected.items() <= json_log.fields.items()


def test_the_signal_is_named_only_inside_its_block(json_log: Lines) -> None:
    with about_signal("outer"):
        with about_signal("inner"):
            logger.error("one")
            assert json_log.fields["signal_id"] == "inner"
        logger.error("two")
        assert json_log.fields["signal_id"] == "outer"
    logger.error("three")
    assert "signal_id" not in json_log.fields


def test_a_call_can_name_the_signal_itself(json_log: Lines) -> None:
    logger.error("one", extra={"signal_id": "abc"})
    assert json_log.fields["signal_id"] == "abc"


def test_what_libraries_add_to_records_is_left_out(json_log: Lines) -> None:
    logger.error("one", extra={"request": object(), "server_time": 1})
    assert not {"request", "server_time"} & json_log.fields.keys()


def test_a_traceback_has_every_cause_and_its_lines_are_indented(
    text_log: Lines, json_log: Lines
) -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error
    except ValueError:
        logger.exception("It failed")

    first, *rest = text_log.last.split("\n")
    assert "ERROR sync.some: It failed" in first
    assert all(line.startswith("    | ") for line in rest)
    text = "\n".join(line[6:] for line in rest)
    assert text == json_log.fields["exception"]
    assert re.search(r"KeyError: 'first'\n.*direct cause.*\n.*\n  File .*ValueError: second$",
                     text, re.DOTALL)  # fmt: skip


def test_an_endless_traceback_is_shortened(json_log: Lines) -> None:
    try:
        raise ExceptionGroup("many", [ValueError(str(number)) for number in range(500)])
    except ExceptionGroup:
        logger.exception("It failed")
    lines = json_log.fields["exception"].split("\n")
    assert len(lines) < 250
    assert any("lines are left out" in line for line in lines)
    assert "ValueError: 499" in lines[-1]


def test_long_values_are_cut(json_log: Lines) -> None:
    with about_signal("x" * 5000):
        logger.error("y" * 100_000)
    assert len(json_log.last) < 5000
    assert json_log.fields["event"].endswith("more)")
    assert json_log.fields["signal_id"].endswith("more)")


def test_a_value_that_cannot_be_shown_does_not_cost_the_line(json_log: Lines) -> None:
    class Bad:
        def __str__(self) -> str:
            raise RuntimeError("no")

    with about_signal(Bad()):  # type: ignore[arg-type]
        logger.error("one")
    assert json_log.fields["event"] == "one"
    assert "Bad that cannot be shown" in json_log.fields["signal_id"]


@pytest.mark.parametrize("node", ["0123456789abcdef", ""])
def test_the_node_is_the_start_of_the_journals_identity_or_the_machine(
    tmp_path: object, json_log: Lines, node: str
) -> None:
    import socket
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    if node:
        (tmp_path / "signals.id").write_text(node)
    logger.error("one")
    assert json_log.fields["node"] == (node[:8] or socket.gethostname())
