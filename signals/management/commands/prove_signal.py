"""`manage.py prove_signal`: prove that a signal is in the public record."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from signals.config import journal
from signals.files import replace_synced
from signals.management.command import ArgoCommand
from signals.management.journals import journal_in
from signals.record.proving.signal import SignalProof, prove_signal

UNWITNESSED = "no witness has signed it yet: it proves no time"


class Command(ArgoCommand):
    help = (
        "Write a proof file that one signal is in the public record, and the line that it is "
        "about. Others check both with verify_record PROOF --line LINE. It runs on the machine "
        "that took the signal."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add = parser.add_argument
        add("signal_id", metavar="ID", help="the signal")
        add("--output", type=Path, metavar="FILE", help="the proof (default: ID.tlog-proof)")
        add("--line", type=Path, metavar="FILE", help="the line (default: the same with .line)")
        add("--journal", type=Path, metavar="FOLDER",
            help="the data folder of the machine that took the signal, or its copy")  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        name = options["signal_id"]
        output = options["output"] or Path(f"{_file_name(name)}.tlog-proof")
        line = options["line"] or output.with_suffix(".line")
        source = journal_in(options["journal"]) if options["journal"] else journal()
        made = prove_signal(name, source)
        _write(output, made.proof.encoded(), "--output")
        _write(line, made.line.line + b"\n", "--line")
        result = _result(made) | {"proof": str(output), "line": str(line)}
        names = ", ".join(result["witnesses"]) or UNWITNESSED
        self.answer(options, result, (
            f"Signal {name} is entry {result['index']} of {result['size']}. Its checkpoint was "
            f"signed by: {names}.\n{output}\n{line}"
        ))  # fmt: skip


def _result(made: SignalProof) -> dict[str, Any]:
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
