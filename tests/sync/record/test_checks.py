"""Settings of witnesses and authorities that cannot work are reported before Argo starts."""

import pytest
from pytest_django import Settings

from sync import checks
from tests.sync.record.conftest import WITNESS

ADDRESS = "https://witness.example/w"


@pytest.mark.parametrize(
    ("witnesses", "needed"),
    [
        ([WITNESS], 0),
        ([f"{WITNESS} ftp://witness.example"], 0),
        ([f"{WITNESS} {ADDRESS}?x=1"], 0),
        ([f"{WITNESS} {ADDRESS}", f"{WITNESS} {ADDRESS}/2"], 0),
        ([f"{WITNESS} {ADDRESS}"], 2),
        (
            [
                "argo.example/record+ec2a8b20+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4 "
                + ADDRESS
            ],
            0,
        ),
    ],
)
def test_a_witness_that_cannot_be_read_is_an_error(
    settings: Settings, witnesses: list[str], needed: int
) -> None:
    settings.RECORD_WITNESSES, settings.RECORD_WITNESSES_NEEDED = witnesses, needed
    assert [each.id for each in checks.witnesses_are_valid()] == ["sync.E004"]


def test_good_witnesses_are_no_error(settings: Settings) -> None:
    settings.RECORD_WITNESSES = [f"{WITNESS} {ADDRESS}/"]
    assert checks.witnesses_are_valid() == []


def test_an_authority_or_certificate_that_cannot_be_used_is_an_error(settings: Settings) -> None:
    def ids() -> list[str | None]:
        return [each.id for each in checks.authorities_are_valid(databases=["default"])]

    settings.RECORD_STAMP_AUTHORITIES = ["tsa.example"]
    assert ids() == ["sync.E005"]
    settings.RECORD_STAMP_AUTHORITIES = ["https://tsa.example/tsr"]
    assert ids() == []
    settings.RECORD_STAMP_CERTIFICATES = "/missing.pem"
    assert ids() == ["sync.E005"]
    settings.RECORD_STAMP_CERTIFICATES = __file__
    assert ids() == ["sync.E005"]
