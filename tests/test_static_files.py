"""A test client that shares the list of static files serves what a server would."""

from contextlib import closing

import pytest
from django.conf import settings as configured
from django.test import Client
from pytest_django import Settings
from whitenoise.middleware import WhiteNoiseMiddleware

from tests import static_files

A_FILE = "/static/admin/css/base.css"


def no_answer(request: object) -> None:
    raise AssertionError(f"{request} is not a static file")


def made_anew(monkeypatch: pytest.MonkeyPatch) -> WhiteNoiseMiddleware:
    """Return a middleware that has looked at every file, as a server's does."""
    with monkeypatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", static_files.add_files)
        return WhiteNoiseMiddleware(no_answer, configured)


def test_the_shared_list_is_the_one_that_a_server_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    shared, own = WhiteNoiseMiddleware(no_answer), made_anew(monkeypatch)
    assert A_FILE in own.files
    assert shared.files.keys() == own.files.keys()
    assert all(shared.files[url].alternatives == own.files[url].alternatives for url in own.files)


@pytest.mark.django_db
def test_each_client_serves_the_files_and_none_changes_the_list_of_another() -> None:
    first = WhiteNoiseMiddleware(no_answer)
    first.files.clear()
    with closing(Client().get(A_FILE)) as answer:
        assert answer.status_code == 200
        assert b"".join(answer).startswith(b"/*")


@pytest.mark.django_db
def test_another_setting_of_how_files_are_served_makes_a_list_of_its_own(
    settings: Settings,
) -> None:
    settings.WHITENOISE_MAX_AGE = 7
    with closing(Client().get(A_FILE)) as answer:
        assert "max-age=7" in answer["Cache-Control"]
