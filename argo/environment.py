"""Reads settings from the environment, and refuses invalid ones with a clear message."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, time
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

from signals.files import make_folder

T = TypeVar("T")
ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?")
LOG_ORIGIN = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~-]+)*", re.ASCII)
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


class Environment(environ.Env):  # type: ignore[misc]  # django-environ publishes no types
    """django-environ with clear errors.

    Each method raises `ImproperlyConfigured`, which names the variable and the values that it
    accepts, if the value is invalid.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()
        """The names of all settings that were read, set or not."""

    def load(self, path: Path) -> None:
        """Read the file; variables that are already set keep their values."""
        try:
            self.read_env(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{path} cannot be read ({error}). Correct it.") from None

    def unknown(self, prefixes: tuple[str, ...]) -> list[str]:
        """Return the names that have one of Argo's prefixes but that no setting reads."""
        return sorted(
            name for name in self.ENVIRON.keys() - self.asked if name.startswith(prefixes)
        )

    def text(self, name: str, default: str) -> str:
        """Return the value unchanged (a `$` has no meaning), or the default if unset or empty."""
        self.asked.add(name)
        return str(self.ENVIRON.get(name) or default)

    def flag(self, name: str, default: bool) -> bool:
        """Return a yes or no."""
        value = self.text(name, str(default)).strip().lower()
        if value not in TRUE | FALSE:
            raise refusal(name, value, "yes or no")
        return value in TRUE

    def integer(self, name: str, default: int, *, minimum: int, maximum: int = 2**53) -> int:
        """Return a whole number."""
        return self._number(int, "a whole number", name, default, minimum, maximum)

    def seconds(
        self, name: str, default: float, *, minimum: float, maximum: float = 86400
    ) -> float:
        """Return a number of seconds."""
        return self._number(float, "a number of seconds", name, default, minimum, maximum)

    def number(self, name: str, default: float, *, minimum: float, maximum: float) -> float:
        """Return a number."""
        return self._number(float, "a number", name, default, minimum, maximum)

    def time_or_off(self, name: str, default: str) -> time | None:
        """Return a time of day, or None for `off`."""
        value = self.text(name, default).strip()
        if value == "off":
            return None
        try:
            return _time_of_day(value)
        except ValueError:
            raise refusal(name, value, "a time of day such as 18:30, or off") from None

    def times_or_off(self, name: str, default: str) -> tuple[time, time] | None:
        """Return the beginning and the end of `HH:MM-HH:MM`, or None for `off`."""
        value = self.text(name, default).strip()
        if value == "off":
            return None
        try:
            begin, end = (_time_of_day(part.strip()) for part in value.split("-"))
        except ValueError:
            raise refusal(name, value, "two times of day such as 22:00-07:00, or off") from None
        return begin, end

    def zone(self, name: str, default: str) -> ZoneInfo:
        """Return a time zone by its name."""
        value = self.text(name, default).strip()
        try:
            return ZoneInfo(value)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise refusal(name, value, "a time zone such as Europe/Berlin") from None

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """Return one of `choices`."""
        value = self.text(name, default)
        if value not in choices:
            raise refusal(name, value, f"one of {', '.join(choices)}")
        return value

    def names(self, name: str, default: str) -> list[str]:
        """Return one or more names, separated by commas."""
        items = [item.strip() for item in self.text(name, default).split(",")]
        if not any(items):
            raise refusal(name, ",".join(items), "a name, or several separated by commas")
        return list(filter(None, items))

    def listed(self, name: str, default: str) -> list[str]:
        """Return any number of names, separated by commas."""
        return [item.strip() for item in self.text(name, default).split(",") if item.strip()]

    def origins(self, name: str, default: str) -> list[str]:
        """Return any number of exact origins, `https://host:port`, in the form that browsers send.

        An origin of all (`*`, `null`) is refused.
        """
        found = self.listed(name, default)
        for each in found:
            if not ORIGIN.fullmatch(each):
                wanted = "origins without a path and in small letters, as in https://example.com"
                raise refusal(name, each, wanted)
        return found

    def networks(self, name: str, default: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return any number of addresses or networks, separated by commas."""
        try:
            return tuple(map(ip_network, self.listed(name, default)))
        except ValueError as error:
            raise refusal(name, self.text(name, default), f"a list of networks: {error}") from None

    def numbers(
        self, name: str, default: str, *, minimum: float, maximum: float, keys: Sequence[str] = ()
    ) -> dict[str, float]:
        """Return the numbers of `NAME=NUMBER, NAME=NUMBER` by name; `keys` limits the names."""
        return {
            key: self._parsed(float, f"a number for {key}", name, text, minimum, maximum)
            for key, text in self._by_name(name, default, keys, "NUMBER").items()
        }

    def choices(
        self, name: str, default: str, *, keys: Sequence[str], choices: Sequence[str]
    ) -> dict[str, str]:
        """Return the words of `NAME=WORD, NAME=WORD` by name: names of `keys`, words of
        `choices`."""
        found = self._by_name(name, default, keys, "|".join(choices))
        for key, word in found.items():
            if word not in choices:
                raise refusal(name, f"{key}={word}", f"one of {', '.join(choices)} for {key}")
        return found

    def weights(self, name: str, default: str) -> dict[str, float]:
        """Return weights from 0 to 1000 by name."""
        return self.numbers(name, default, minimum=0.0, maximum=1000.0)

    def url(
        self, name: str, default: str, *, schemes: tuple[str, ...], has_many_hosts: bool = False
    ) -> str:
        """Return a URL with one of `schemes`. Errors do not quote it: it may hold a password."""
        value = self.text(name, default)
        try:
            address = urlsplit(value)
            place = address.netloc.rpartition("@")[2]
            for host in place.split(",") if has_many_hosts else [place]:
                urlsplit(f"//{host}").port  # noqa: B018  # it is checked only when it is read
        except ValueError:
            raise refusal(name, "...", "a valid address: check its host and port") from None
        if address.scheme not in schemes:
            wanted = f"an address that starts with {', '.join(schemes)}"
            raise refusal(name, f"{address.scheme}:...", wanted)
        return value

    def log_origin(self, name: str) -> str:
        """Return the origin of a public record, a URL prefix without scheme; empty if unset."""
        value = self.text(name, "")
        if value and not LOG_ORIGIN.fullmatch(value):
            wanted = "an address without scheme and without a slash at its end: argo.example/record"
            raise refusal(name, value, wanted)
        return value

    def database(self, name: str, default: Path, *, schemes: tuple[str, ...]) -> dict[str, Any]:
        """Return Django's settings for the database at a URL; if unset, the SQLite file
        `default`."""
        url = self.url(name, "sqlite:", schemes=schemes, has_many_hosts=True)
        if url == "sqlite:":
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)}
        try:
            config = dict(self.db_url_config(url))
        except ValueError:
            raise refusal(name, f"{urlsplit(url).scheme}:...", "a database's address") from None
        if config["NAME"] in ("", ":memory:"):
            raise refusal(name, url.split(":")[0] + ":...", "a database on disk: name its file")
        return config

    def folder(self, name: str, default: str, *, base: Path) -> Path:
        """Return an absolute folder; a relative one is below `base`.

        Create it if needed, so that only its owner can enter it.
        """
        path = (base / self.text(name, default)).resolve()
        try:
            make_folder(path)
        except OSError as error:
            raise refusal(
                name, str(path), f"a folder that can be created ({error.strerror})"
            ) from None
        return path

    def _by_name(self, name: str, default: str, keys: Sequence[str], form: str) -> dict[str, str]:
        """Return the texts of `NAME=TEXT, NAME=TEXT` by name; `form` says what a text is."""
        found: dict[str, str] = {}
        for item in filter(None, map(str.strip, self.text(name, default).split(","))):
            key, _, text = map(str.strip, item.rpartition("=") if "=" in item else (item, "", ""))
            if not key or not text:
                raise refusal(name, item, f"NAME={form}, or several separated by commas")
            if keys and key not in keys:
                raise refusal(name, item, f"for one of {', '.join(keys)}")
            if key in found:
                raise refusal(name, item, f"the only value for {key}: keep one")
            found[key] = text
        return found

    def _number(
        self, cast: Callable[[str], T], kind: str, name: str, default: T, minimum: T, maximum: T
    ) -> T:
        return self._parsed(cast, kind, name, self.text(name, str(default)), minimum, maximum)

    def _parsed(
        self, cast: Callable[[str], T], kind: str, name: str, text: str, minimum: T, maximum: T
    ) -> T:
        try:
            value = cast(text)
        except ValueError:
            raise refusal(name, text, kind) from None
        if not minimum <= value <= maximum:  # type: ignore[operator]
            raise refusal(name, text, f"{kind} from {minimum} to {maximum}")
        return value


def refusal(name: str, value: str, wanted: str) -> ImproperlyConfigured:
    """Return the error for a value that is not `wanted`."""
    return ImproperlyConfigured(
        f"{name}={value!r} is not {wanted}. Correct it in the environment or .env."
    )


def _time_of_day(text: str) -> time:
    return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  # a time of any day
