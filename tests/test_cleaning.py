"""After a test that commits, a database holds what it holds after Django's own flush."""

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connections, models

from signals.models import OutcomeChange, Signal
from signals.tracker import SignalTracker
from tests import cleaning
from tests.databases import both_databases
from tests.samples import signals

pytestmark = both_databases


def count(model: type[models.Model], using: str) -> int:
    return model._default_manager.using(using).count()


def test_rows_that_refer_to_each_other_are_all_deleted(tracker: SignalTracker, using: str) -> None:
    cleaning.empty(using)  # the first time, it flushes
    tracker.log_signals(signals(3))
    User.objects.db_manager(using).create_user("ann").user_permissions.add(
        Permission.objects.using(using).earliest("pk")
    )
    assert len(cleaning.tables_with_rows(connections[using])) > 3
    cleaning.empty(using)
    assert cleaning.tables_with_rows(connections[using]) == []
    assert [count(model, using) for model in (Signal, OutcomeChange, User)] == [0, 0, 0]


@pytest.mark.parametrize("model", [Permission, ContentType])
def test_what_migrate_made_stays_and_is_made_again_if_a_test_deleted_some(
    model: type[models.Model], using: str
) -> None:
    cleaning.empty(using)
    before = count(model, using)
    cleaning.empty(using)
    assert count(model, using) == before > 10
    model._default_manager.using(using).earliest("pk").delete()
    cleaning.empty(using)
    assert count(model, using) == before
