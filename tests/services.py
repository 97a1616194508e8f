"""The real servers that some tests need, and their addresses."""

import os
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """A server on this machine."""

    name: str
    port: int
    host: str = "127.0.0.1"

    def answers(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True


POSTGRESQL = Service("postgresql", 5432)
REDIS = Service("redis", 6379)
RABBITMQ = Service("rabbitmq", 5672)
SERVICES = {service.name: service for service in (POSTGRESQL, REDIS, RABBITMQ)}


def required() -> bool:
    """Return True if a missing server is a failure, as in CI, and not a reason to skip."""
    return os.environ.get("REQUIRE_SERVICES") == "1"
