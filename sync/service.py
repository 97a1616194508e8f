"""What a receiver is to those who send: a service that takes one thing at a time and answers."""

from typing import NamedTuple, Protocol


class Answer(NamedTuple):
    """An answer of a receiver: the HTTP status and the beginning of the body."""

    status: int
    text: str


class Service(Protocol):
    """Sends to one receiver; any number of threads may share it."""

    @property
    def key_digest(self) -> str:
        """Return the SHA-256 of the key that is sent along, to tell keys apart."""

    def send(self, name: str, body: bytes, *, retries: int) -> Answer:
        """Send one signal or event with this id; try again at once up to `retries` times.

        Raises `SyncError` if the receiver does not accept it.
        """
