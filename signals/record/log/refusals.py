"""Why this machine does not sign: each refusal is a problem that health shows."""

from argo.errors import Conflict
from signals.problems import ProblemKind

PAGE = "record.md#when-the-record-stands-still"
FORK = ProblemKind(
    "record.fork",
    "Stop publishing, and find out where the two histories part: a record with a fork is worth "
    "nothing to a reader. Nothing is entered or signed any more.",
    PAGE,
)
FOREIGN = ProblemKind(
    "record.foreign_owner",
    "Unset RECORD_ORIGIN here. If the data folder was moved to this place, and nothing signs at "
    "the old one, run argo record --claim.",
    PAGE,
    is_of_node=True,
)
OTHER_ORIGIN = ProblemKind(
    "record.other_origin",
    "Set RECORD_ORIGIN back. To end that record and begin another one, run argo record "
    "--begin-anew.",
    PAGE,
    is_of_node=True,
)
KEY_LOST = ProblemKind(
    "record.key_lost",
    "Put record.key back from a backup. If it is lost for good, set RECORD_ORIGIN to another "
    "origin and run argo record --begin-anew.",
    PAGE,
    is_of_node=True,
)
FOLDER_LOST = ProblemKind(
    "record.folder_lost",
    "Put data/record back, from wherever it is published: it holds the last checkpoint, which "
    "nobody may sign differently. If nobody has seen a larger checkpoint than the database has, "
    "run argo record --resume.",
    PAGE,
    is_of_node=True,
)
DAMAGED = ProblemKind(
    "record.damaged",
    "Put the files of data/record back from wherever the record is published, or from a backup.",
    PAGE,
    is_of_node=True,
)
SEEN = ProblemKind(
    "record.seen_larger",
    "Put back the data/record that belongs to what the witness has seen. Nothing is signed before.",
    PAGE,
    is_of_node=True,
)


BEHIND = ProblemKind(
    "record.behind",
    "Start Argo, or its worker of the queue record; its log says why if it runs.",
    PAGE,
)
UNASKED = ProblemKind(
    "record.unasked",
    "Argo asks again by itself. Before it signs after a start, it compares the record with what "
    "witnesses have seen: an old copy of the record must not sign. If a witness is gone for good, "
    "take it out of RECORD_WITNESSES.",
    PAGE,
    is_of_node=True,
)
KINDS = (
    FORK, FOREIGN, OTHER_ORIGIN, KEY_LOST, FOLDER_LOST, DAMAGED, SEEN, UNASKED, BEHIND,
)  # fmt: skip


class RecordRefused(Conflict):
    """This machine does not sign now; `kind` says which problem it is."""

    def __init__(self, kind: ProblemKind, sentence: str) -> None:
        self.kind = kind
        super().__init__(f"{sentence} {kind.advice}")
        self.sentence = sentence
