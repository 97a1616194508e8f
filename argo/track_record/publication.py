"""Publishes track records: makes a bundle of the whole record, verifies it as a reader would, and
keeps what came of it beside it."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from argo.errors import Conflict
from argo.track_record.published import Published, folder, store
from argo.track_record.reading import VerifiedBundle, verified_bundle
from signals.config import journal
from signals.files import make_folder
from signals.record.proving.period import Maker
from signals.record.proving.revealing import shows_strategies

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def publish(now: datetime) -> Published:
    """Publish the track records of RECORD_STRATEGIES from a bundle of everything until `now`.

    The bundle shows every signal of these strategies, with its outcomes, and nothing else. A
    strategy without a signal gets a track record, too: what is not shown may be its own.

    Raises Conflict if there is nothing to publish, and what the bundle's maker raises.
    """
    names = settings.RECORD_STRATEGIES
    if not names:
        raise Conflict("RECORD_STRATEGIES names no strategy to publish.")
    data, _ = Maker([journal()]).make(BEGINNING, now, shows_strategies(names))
    policy = _policy(data)
    verified = _verified(data, policy)
    return store(data, policy, now.isoformat(timespec="seconds"), list(map(verified.record, names)))


def _verified(data: bytes, policy: bytes) -> VerifiedBundle:
    make_folder(folder())
    with TemporaryDirectory(dir=folder()) as place:
        paths = Path(place) / "bundle.zip", Path(place) / "policy"
        for path, content in zip(paths, (data, policy), strict=True):
            path.write_bytes(content)
        return verified_bundle(*paths)


def _policy(bundle: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return archive.read("policy")
