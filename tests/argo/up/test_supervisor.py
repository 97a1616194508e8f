"""The supervisor, with real child processes and real signals."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from argo.up import stop_with_parent
from argo.up.stop_with_parent import AUTOGROUP
from tests.argo.up.processes import (
    DYING,
    PARENT,
    POLITE,
    STUBBORN,
    Running,
    a_child,
    is_alive,
    wait_until_gone,
)

Start = Callable[..., Running]
FOR_EVER = 10_000.0
ECHO_IS_OVER = 0.7
"""Seconds after which a second SIGINT is no echo of the first."""


def pid_of(running: Running, name: str) -> int:
    return int(running.wait_for(rf"(?m)^{name}: pid (\d+)")[-1])


# --- Output ------------------------------------------------------------------------------------
def test_every_line_of_output_has_its_childs_name(start: Start) -> None:
    code = "import sys; print('to stdout'); print('to stderr', file=sys.stderr)"
    running = start(a_child("talker", code, once=True), a_child("other", POLITE))

    running.wait_for("talker: to stdout")
    running.wait_for("talker: to stderr")
    running.wait_for("other: pid")


def test_a_line_is_passed_on_at_once(start: Start) -> None:
    running = start(a_child("sleeper", "import time; print('before'); time.sleep(1000)"))

    running.wait_for("sleeper: before")


def test_a_lot_of_output_is_complete_and_in_order(start: Start) -> None:
    code = "for number in range(50_000): print('line', number, 'x' * 50)"
    running = start(a_child("chatty", code, once=True))

    running.wait_for("chatty: line 49999 ")

    numbers = [int(number) for number in re.findall(r"chatty: line (\d+) x{50}\n", running.text)]
    assert numbers == list(range(50_000))


def test_invalid_text_and_very_long_lines_are_shown(start: Start) -> None:
    code = "import sys; out = sys.stdout.buffer; out.write(b'caf\\xe9\\n' + b'y' * 70_000)"
    running = start(a_child("odd", code, once=True))

    running.wait_for("odd: caf\N{REPLACEMENT CHARACTER}\n")
    running.wait_for(r"odd: y{65536}\n")
    running.wait_for(rf"odd: y{{{70_000 - 65_536}}}\n")


# --- Restarts ----------------------------------------------------------------------------------
def test_a_child_that_dies_is_started_again_after_longer_and_longer_waits(start: Start) -> None:
    running = start(a_child("mortal", DYING), a_child("other", POLITE))

    message = r"argo: mortal ended with exit code 3 after 0 s; restart (\d+) follows in (\S+) s\."
    running.wait_for(message, times=4)

    restarts = [" ".join(found) for found in re.findall(message, running.text)]
    assert restarts[:4] == ["1 0.1", "2 0.2", "3 0.4", "4 0.4"]
    assert len(set(running.wait_for(r"other: pid (\d+)"))) == 1


def test_a_killed_child_is_started_again_and_its_own_children_are_killed(
    start: Start,
) -> None:
    running = start(a_child("family", PARENT))
    first = pid_of(running, "family")
    grandchild = int(running.wait_for(r"grandchild (\d+)")[0])

    os.kill(first, signal.SIGKILL)
    running.wait_for("family ended by SIGKILL")
    second = int(running.wait_for(r"family: pid (\d+)", times=2)[1])

    assert second != first
    assert is_alive(second)
    wait_until_gone(first, grandchild)


def test_a_missing_program_is_reported_and_tried_again(start: Start) -> None:
    running = start({**a_child("absent", ""), "command": ["/no/such/program"]})

    running.wait_for("absent: .*No such file")
    running.wait_for("absent ended with exit code 1", times=2)


def test_a_child_that_runs_once_is_not_started_again(start: Start) -> None:
    running = start(a_child("single", "print('ran')", once=True), a_child("mortal", DYING))

    running.wait_for("restart 3")  # by now it would have been started again

    assert running.text.count("single: ran") == 1
    assert "single ended" not in running.text


# --- Priority ----------------------------------------------------------------------------------
def test_a_child_gives_way_to_others_and_so_does_its_session(start: Start) -> None:
    """On Linux the niceness of a process counts only within its session, which a child has for
    itself."""
    code = f"import os; print('niceness', os.nice(0)); print(open({AUTOGROUP!r}).read())"
    running = start(a_child("gentle", code, once=True, niceness=7), a_child("other", POLITE))

    running.wait_for(f"gentle: niceness {os.nice(0) + 7}\n")
    running.wait_for("gentle: .* nice 7\n")
    assert os.getpriority(os.PRIO_PROCESS, pid_of(running, "other")) == os.nice(0)


# --- Stopping ----------------------------------------------------------------------------------
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_shuts_everything_down_cleanly(start: Start, number: signal.Signals) -> None:
    running = start(a_child("one", POLITE, "0.5"), a_child("two", POLITE))
    pids = [pid_of(running, "one"), pid_of(running, "two")]

    running.signal(number)

    assert running.end() == 0
    assert {"one: asked\n", "one: bye\n", "two: asked\n", "two: bye\n"} <= set(running.lines)
    assert running.lines[-1] == "argo: Stopped.\n"
    assert not any(map(is_alive, pids))


def test_under_nohup_it_outlives_the_terminal(start: Start) -> None:
    ticking = "import time\nfor number in range(9999): print('tick', number); time.sleep(0.1)"
    running = start(a_child("clock", ticking), wrapper=("/usr/bin/env", "nohup"))
    running.wait_for("clock: tick")

    running.signal(signal.SIGHUP)
    ticks = running.text.count("tick")
    running.wait_for("clock: tick", times=ticks + 10)

    assert "Stopping" not in running.text
    running.signal(signal.SIGTERM)
    assert running.end() == 0


def test_stages_stop_one_after_the_other(start: Start) -> None:
    running = start(
        a_child("work", POLITE, stage=2),
        a_child("clock", POLITE, "0.4", stage=1),
        a_child("intake", POLITE, "0.4", stage=0),
        a_child("second intake", POLITE, "0.4", stage=0),
    )
    for name in ("work", "clock", "intake", "second intake"):
        pid_of(running, name)

    running.signal(signal.SIGTERM)
    running.end()

    def at(line: str) -> int:
        return running.lines.index(f"{line}\n")

    assert at("second intake: asked") < at(
        "intake: bye"
    )  # children of one stage stop at the same time
    assert max(at("intake: bye"), at("second intake: bye")) < at("clock: asked")
    assert at("clock: bye") < at("work: asked")


def test_the_terminals_ctrl_c_does_not_reach_the_children(start: Start) -> None:
    running = start(a_child("one", POLITE))
    child = pid_of(running, "one")

    assert os.getsid(child) == os.getpgid(child) == child


def test_a_child_that_does_not_stop_is_killed_after_its_timeout(start: Start) -> None:
    running = start(a_child("stubborn", STUBBORN, stop_timeout=0.5), a_child("other", POLITE))
    pids = [pid_of(running, "stubborn"), pid_of(running, "other")]

    running.signal(signal.SIGTERM)

    assert running.end() == 1
    assert running.lines[-1] == "argo: Stopped, but had to kill stubborn.\n"
    assert "other: bye\n" in running.lines
    assert not any(map(is_alive, pids))


def test_a_second_ctrl_c_kills_at_once(start: Start) -> None:
    running = start(
        a_child("stubborn", STUBBORN, stop_timeout=FOR_EVER),
        a_child("later", STUBBORN, stop_timeout=FOR_EVER, stage=1),
    )
    pids = [pid_of(running, "stubborn"), pid_of(running, "later")]

    running.signal(signal.SIGINT)
    running.wait_for("Stopping")
    time.sleep(ECHO_IS_OVER)
    running.signal(signal.SIGINT)

    assert running.end() == 1
    assert "had to kill stubborn and later" in running.lines[-1]
    assert not any(map(is_alive, pids))


@pytest.mark.parametrize("echo", [[signal.SIGINT] * 3, [signal.SIGTERM] * 3])
def test_an_echo_of_a_signal_is_not_a_second_ctrl_c(
    start: Start, echo: list[signal.Signals]
) -> None:
    running = start(a_child("slow", POLITE, "1.5"))
    pid_of(running, "slow")

    for number in echo:
        running.signal(number)
        time.sleep(0.05)

    assert running.end() == 0
    assert "slow: bye\n" in running.lines


def test_a_supervisor_killed_by_sigkill_leaves_no_child(start: Start) -> None:
    running = start(
        a_child("steady", POLITE), a_child("restarted", POLITE), a_child("mortal", DYING)
    )
    first = pid_of(running, "restarted")
    os.kill(first, signal.SIGKILL)
    second = int(running.wait_for(r"restarted: pid (\d+)", times=2)[1])
    pids = [pid_of(running, "steady"), second]

    running.signal(signal.SIGKILL)
    running.end()

    wait_until_gone(*pids)
    assert "steady: asked\n" not in running.lines  # no supervisor was left to print it


def test_a_child_whose_supervisor_is_already_dead_does_not_start() -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    command = [
        sys.executable,
        stop_with_parent.__file__,
        str(gone.pid),
        "0",
        sys.executable,
        "-c",
        "print('ran')",
    ]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"process {gone.pid} is gone" in ended.stderr
