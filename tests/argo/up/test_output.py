"""The format of the lines of `up`, and a closed pipe."""

import io
import os

import pytest

from argo.up.output import Output, wants_colour


def test_prefixes_are_aligned_and_every_line_has_one() -> None:
    stream = io.StringIO()
    output = Output(stream, ["argo", "flush"], coloured=False)

    output.print("argo", "one\ntwo")
    output.print("flush", "three")
    output.finish()

    assert stream.getvalue() == "argo  | one\nargo  | two\nflush | three\n"


def test_empty_lines_are_left_out() -> None:
    stream = io.StringIO()

    output = Output(stream, ["web"], coloured=False)

    output.print("web", "\nworker: Warm shutdown\n  \n")
    output.finish()

    assert stream.getvalue() == "web | worker: Warm shutdown\n"


def test_each_name_has_its_colour_on_a_terminal() -> None:
    stream = io.StringIO()
    output = Output(stream, ["argo", "web"], coloured=True)

    output.print("argo", "plain text")
    output.print("web", "plain text")
    output.finish()

    first, second = stream.getvalue().splitlines()
    assert first.startswith("\x1b[")
    assert first.endswith("\x1b[0mplain text")
    assert first.replace("argo", "web ") != second


def test_no_colour_without_a_terminal_or_with_no_color_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not wants_colour(io.StringIO())

    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("argo.up.output.supports_color", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert wants_colour(terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(terminal)


def test_a_closed_pipe_is_noticed_and_the_rest_is_dropped() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", buffering=1) as stream:
        output = Output(stream, ["web"], coloured=False)
        output.print("web", "somebody reads")
        output.finish()
        assert not output.is_lost

        os.close(reading)
        output.print("web", "nobody reads")
        output.print("web", "still nobody")
        output.finish()

        assert output.is_lost
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)  # so that closing it can flush


def test_control_characters_do_not_reach_the_terminal() -> None:
    stream = io.StringIO()
    output = Output(stream, ["web"], coloured=False)

    output.print("web", "a\x1b[2J\rb\u2028c\tfields")
    output.finish()

    assert stream.getvalue() == "web | a\\x1b[2J\\rb\\u2028c\tfields\n"


def test_a_stopped_terminal_delays_nobody_and_later_shows_how_many_lines_are_missing() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading) as reader:
        output = Output(stream, ["argo", "web"], coloured=False)
        for number in range(6000):  # far more than the pipe and the queue hold
            output.print("web", f"{number} {'x' * 100}")

        shown = missing = 0
        while shown + missing < 6000:
            line = reader.readline()
            if "are missing here" in line:
                assert line.startswith("argo | ")
                missing += int(line.split()[2])
            else:
                shown += 1

    assert shown + missing == 6000
    assert missing
