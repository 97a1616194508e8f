"""What was decided: how many signals were traded or skipped, and the most frequent reasons."""

from datetime import timedelta

from argo.dashboard import accounts
from argo.dashboard.panel import Content, Moment
from execution import status as execution_status
from execution.types import REPLAY, Reason

LIVE, PAST = timedelta(days=1), timedelta(days=365)
"""How far back it looks; a replay's decisions are of its last year."""
MOST = 6
_MEANINGS: dict[str, str] = {reason.value: reason.meaning for reason in Reason}


def read(moment: Moment) -> Content:
    """Return the account's decisions of the last day; of a replay, those of its last year."""
    is_replay = moment.account == REPLAY
    until = (accounts.last_mark(REPLAY) if is_replay else None) or moment.now
    made, skipped_for = execution_status.made_since(
        until - (PAST if is_replay else LIVE), moment.account
    )
    most = max(skipped_for.values(), default=0)
    period = "the replay's last year" if is_replay else "the last 24 hours"
    return {
        "account": moment.account,
        "period": f"the newest decisions of {period}" if made.at_least else period,
        "made": made,
        "waiting": execution_status.waiting().number,
        "reasons": [
            {"code": code, "meaning": _MEANINGS.get(code, ""), "number": number, "most": most}
            for code, number in list(skipped_for.items())[:MOST]
        ],
    }
