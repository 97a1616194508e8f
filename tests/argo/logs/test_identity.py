"""The names of processes in the log."""

import pytest

from argo.logs.identity import process_name


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["/srv/argo/argo/web/__main__.py", "argo.wsgi:application"], "web"),
        (["/usr/bin/gunicorn", "argo.wsgi"], "web"),
        (["/v/celery/__main__.py", "-A", "argo", "worker", "--hostname", "flush@box"], "flush"),
        (["celery", "-A", "argo", "worker", "--hostname=sync@%h"], "sync"),
        (["celery", "-A", "argo", "worker", "-Q", "execution"], "execution"),
        (["celery", "-A", "argo", "worker"], "worker"),
        (["celery", "-A", "argo", "beat", "--hostname", "celerybeat@%h"], "beat"),
        (["celery", "-A", "argo", "inspect"], "celery"),
        (["manage.py", "replay", "--execute"], "replay"),
        (["manage.py"], "manage"),
        (["-c"], "-c"),
        ([""], "python"),
        ([], "python"),
        (["manage.py", "a\nb"], "a\\nb"),
    ],
)
def test_a_process_is_named_after_what_it_does(arguments: list[str], name: str) -> None:
    assert process_name(arguments) == name
