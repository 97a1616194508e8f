"""Run a supervisor: `python -m tests.argo.up.supervise JSON`."""

import json
import sys
from pathlib import Path

from argo.up.child import Spec
from argo.up.managed_child import Backoff
from argo.up.supervisor import Supervisor


def print_line(name: str, line: str) -> None:
    sys.stdout.write(f"{name}: {line}\n")
    sys.stdout.flush()


def main(plan: dict[str, object]) -> bool:
    children = plan["children"]
    assert isinstance(children, list)
    supervisor = Supervisor(print_line, Path.cwd(), backoff=Backoff(first=0.1, most=0.4, steady=60))
    for child in children:
        supervisor.add(Spec(**{**child, "command": tuple(child["command"])}))
    return supervisor.run(iter(()))


if __name__ == "__main__":
    raise SystemExit(0 if main(json.loads(sys.argv[1])) else 1)
