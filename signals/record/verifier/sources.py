"""Where a record's files are read: a folder, or the address that serves it."""

import urllib.error
import urllib.parse
import urllib.request
import zlib
from http.client import HTTPException
from pathlib import Path

from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import MOST_NOTE_BYTES
from signals.record.formats.tiles import FULL_TILE_BYTES, MOST_BUNDLE_BYTES, Read

TIMEOUT_SECONDS = 20


def folder_source(folder: Path) -> Read:
    """Return a reader of the files below a folder."""

    def read(path: str) -> bytes | None:
        try:
            with (folder / path).open("rb") as file:
                return _limited(path, file.read(_limit_of(path) + 1))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise BadRecord(f"{path} cannot be read: {error.strerror}") from None

    return read


def url_source(url: str) -> Read:
    """Return a reader of the files below an address with http or https."""

    def read(path: str) -> bytes | None:
        request = urllib.request.Request(  # noqa: S310  # the caller allows http and https alone
            f"{url.rstrip('/')}/{path}", headers={"Accept-Encoding": "gzip, identity"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                data = answer.read(_limit_of(path) + 1)
                is_packed = answer.headers.get("Content-Encoding") == "gzip"
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (404, 410):
                return None
            raise BadRecord(f"{path}: the server answers {error.code}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise BadRecord(f"{path} cannot be fetched: {error}") from None
        return _limited(path, _unzipped(path, data) if is_packed else data)

    return read


def is_url(text: str) -> bool:
    """Return True if the text is an address with http or https."""
    return urllib.parse.urlsplit(text).scheme in ("http", "https") if "://" in text else False


def _unzipped(path: str, data: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(data, _limit_of(path) + 1)
    except zlib.error as error:
        raise BadRecord(f"{path} is damaged: {error}") from None


def _limited(path: str, data: bytes) -> bytes:
    if len(data) > _limit_of(path):
        raise BadRecord(f"{path} has more than {_limit_of(path)} bytes")
    return data


def _limit_of(path: str) -> int:
    if path.startswith("tile/entries/"):
        return MOST_BUNDLE_BYTES
    return FULL_TILE_BYTES if path.startswith("tile/") else MOST_NOTE_BYTES
