"""`manage.py prove_signal`: prove that a signal is in the public record."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from signals.config import journal
from signals.files import replace_synced
from signals.management.command import ArgoCommand
from signals.management.journals import journal_in
from signals.record.proving.signal import LineProof, SignalProof, prove_signal

UNWITNESSED = "no witness has signed it yet: it proves no time"


class Command(ArgoCommand):
    help = (
        "Write a proof file that one signal is in the public record, one for each change of its "
        "outcome, and the lines that they are about. Others check them with verify_record PROOF "
        "--line LINES --outcome PROOF. It runs on the machine that took the signal."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add = parser.add_argument
        add("signal_id", metavar="ID", help="the signal")
        add("--output", type=Path, metavar="FILE", help="the proof (default: ID.tlog-proof)")
        add("--line", type=Path, metavar="FILE", help="the lines (default: the same with .line)")
        add("--journal", action="append", type=Path, default=[], metavar="FOLDER",
            help="the data folder, or its copy, of another machine that has a line")  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        name = options["signal_id"]
        output = options["output"] or Path(f"{_file_name(name)}.tlog-proof")
        line = options["line"] or output.with_suffix(".line")
        made = prove_signal(name, [journal(), *map(journal_in, options["journal"])])
        outcomes = [
            output.with_suffix(f".outcome-{number}{output.suffix}")
            for number, _ in enumerate(made.outcomes, 1)
        ]
        for path, each in zip((output, *outcomes), _each(made), strict=True):
            _write(path, each.proof.encoded(), "--output")
        lines = b"".join(each.line.line + b"\n" for each in _each(made))
        _write(line, lines, "--line")
        result = _result(made.signal) | {"proof": str(output), "line": str(line)}
        result["outcomes"] = [
            _result(each) | {"proof": str(path)}
            for path, each in zip(outcomes, made.outcomes, strict=True)
        ]
        self.answer(options, result, _text(name, result))


def _each(made: SignalProof) -> list[LineProof]:
    return [made.signal, *made.outcomes]


def _text(name: str, result: dict[str, Any]) -> str:
    found = [_entry(f"Signal {name}", result)]
    found += [_entry("A change of its outcome", each) for each in result["outcomes"]]
    files = [result["proof"], *(each["proof"] for each in result["outcomes"]), result["line"]]
    return "\n".join([*found, *files])


def _entry(what: str, result: dict[str, Any]) -> str:
    names = ", ".join(result["witnesses"]) or UNWITNESSED
    return (
        f"{what} is entry {result['index']} of {result['size']}. Its checkpoint was signed by: "
        f"{names}."
    )


def _result(made: LineProof) -> dict[str, Any]:
    return {
        "index": made.proof.index,
        "size": made.checkpoint.size,
        "witnesses": sorted(made.checkpoint.witnesses),
    }


def _file_name(signal_id: str) -> str:
    """Return the id as a name of a file: without what leads to another folder."""
    return "".join(each if each.isalnum() or each in "._-" else "_" for each in signal_id)[:200]


def _write(path: Path, content: bytes, option: str) -> None:
    try:
        replace_synced(path, content)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise InvalidInput([FieldError(option, message)]) from None
