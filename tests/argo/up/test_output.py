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

    assert stream.getvalue() == "argo  | one\nargo  | two\nflush | three\n"


def test_empty_lines_are_left_out() -> None:
    stream = io.StringIO()

    Output(stream, ["web"], coloured=False).print("web", "\nworker: Warm shutdown\n  \n")

    assert stream.getvalue() == "web | worker: Warm shutdown\n"


def test_each_name_has_its_colour_on_a_terminal() -> None:
    stream = io.StringIO()
    output = Output(stream, ["argo", "web"], coloured=True)

    output.print("argo", "plain text")
    output.print("web", "plain text")

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
        assert not output.is_lost

        os.close(reading)
        output.print("web", "nobody reads")
        output.print("web", "still nobody")

        assert output.is_lost
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)  # so that closing it can flush
