"""When a child is started again. A clock decides, so the test sets the clock."""

from argo.up.child import Child, Spec
from argo.up.managed_child import Backoff, ManagedChild

SPEC = Spec("child", ("/bin/true",), stage=0, stop_timeout=1)


class Fleeting(Child):
    """A child without a process, which has ended at the first check."""

    def __init__(self) -> None:
        pass

    def has_ended(self) -> bool:
        return True

    def reap(self) -> int:
        return 7


class Scene:
    """A managed child, its clock, and what it started and said."""

    def __init__(self, fails: bool = False) -> None:
        self.now = 0.0
        self.fails = fails
        self.said: list[str] = []
        self.starts = 0
        backoff = Backoff(first=1, most=8, steady=60)
        self.managed = ManagedChild(SPEC, self.start, self.said.append, backoff, lambda: self.now)

    def start(self) -> Child:
        self.starts += 1
        if self.fails:
            raise OSError("no more processes")
        return Fleeting()

    def live(self, seconds: float) -> str:
        """Start it, let it live for some seconds, and return the message about its end."""
        self.now += 1000  # long after every wait
        self.managed.check()
        self.now += seconds
        self.managed.check()
        return self.said[-1]


def test_the_wait_doubles_up_to_the_most() -> None:
    backoff = Backoff(first=1, most=30)

    assert [backoff.wait(deaths) for deaths in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
    assert backoff.wait(100_000) == 30


def test_no_start_before_the_wait_is_over() -> None:
    scene = Scene()
    scene.managed.check()
    scene.managed.check()  # notices its death; the first wait is a second

    scene.now = 0.9
    scene.managed.check()
    assert scene.starts == 1
    scene.now = 1.0
    scene.managed.check()
    assert scene.starts == 2


def test_the_wait_is_short_again_after_a_long_life() -> None:
    scene = Scene()

    assert "restart 1 follows in 1 s" in scene.live(5)
    assert "restart 2 follows in 2 s" in scene.live(59)
    assert scene.live(60) == ("child ended with exit code 7 after 60 s; restart 1 follows in 1 s.")


def test_a_failed_start_is_reported_and_tried_again() -> None:
    scene = Scene(fails=True)
    scene.managed.check()

    assert "child could not be started (no more processes)" in scene.said[0]
    scene.now, scene.fails = 1.0, False
    scene.managed.check()
    assert scene.managed.child is not None
