"""One thread does a work at a time; whoever asks meanwhile does not wait, and is not forgotten."""

import threading

from signals.turns import Turns


def test_a_work_that_is_asked_for_while_it_runs_is_done_once_more() -> None:
    turns, done = Turns(), list[str]()

    def work() -> int:
        done.append(threading.current_thread().name)
        if len(done) == 1:
            for _ in range(3):  # three come meanwhile, and leave at once
                other = threading.Thread(target=lambda: answers.append(turns.take(work)))
                other.start()
                other.join(30)
        return 2

    answers: list[int] = []
    assert turns.take(work) == 4
    assert answers == [0, 0, 0]
    assert set(done) == {threading.current_thread().name}


def test_a_work_that_fails_leaves_the_next_turn_free() -> None:
    turns = Turns()
    for _ in range(2):
        try:
            turns.take(lambda: 1 // 0)
        except ZeroDivisionError:
            continue
    assert turns.take(lambda: 1) == 1
