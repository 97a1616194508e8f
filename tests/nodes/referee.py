"""The independent count: what the senders noted, against what the servers hold."""

from tests.argo.up.processes import wait_until
from tests.clusters import Server
from tests.nodes.senders import Notes
from tests.nodes.world import World

ROWS = "SELECT signal_id FROM signals"
DECIDED = "SELECT count(*) FROM decisions WHERE status IN ('executed', 'skipped')"
EXECUTED = "SELECT count(*) FROM decisions WHERE status = 'executed'"
TWICE_ORDERED = (
    "SELECT count(*) FROM (SELECT 1 FROM orders WHERE leg = 'entry' GROUP BY signal_id "
    "HAVING count(*) > 1) AS twice"
)
TWICE_AT_BROKER = (
    "SELECT count(*) FROM (SELECT 1 FROM paper_orders GROUP BY client_order_id "
    "HAVING count(*) > 1) AS twice"
)
STATUSES = "SELECT status, reason, count(*) FROM decisions GROUP BY 1, 2"
STATES = "SELECT leg, state, count(*) FROM orders GROUP BY 1, 2"
DEAD = "SELECT count(*) FROM dead_letters"
HALTS = "SELECT count(*) FROM halts"


def check_acknowledged(notes: Notes, server: Server) -> None:
    """Check that each signal that was acknowledged as in the database is on this server."""
    acknowledged = {each for each, said in notes.acknowledged.items() if said == "database"}
    lost = acknowledged - stored(server)
    assert not lost, f"{len(lost)} acknowledged signals are lost: {sorted(lost)[:5]}"


def check(world: World, notes: Notes) -> None:
    """Wait until everything is decided, and check all that was promised."""
    primary = world.servers.primary
    assert set(notes.acknowledged.values()) <= {"database"}
    check_acknowledged(notes, primary)
    rows = stored(primary)
    strange = rows - notes.sent.keys()
    assert not strange, f"{len(strange)} signals were never sent"
    wait_until(lambda: primary.ask(DECIDED) == len(stored(primary)), lambda: _standing(primary))
    for count in (TWICE_ORDERED, TWICE_AT_BROKER, DEAD, HALTS):
        assert primary.ask(count) == 0, count
    assert primary.ask(EXECUTED) == len(rows), _standing(primary)


def verify_nodes(world: World) -> None:
    """Run `verify_signals` on every node: database, journal and hashes agree."""
    for node in world.nodes:
        done = node.argo.manage("verify_signals")
        assert done.returncode == 0, done.stdout + done.stderr


def stored(server: Server) -> set[str]:
    """Return the ids of all rows, which the database holds once each."""
    with server.connect() as connection:
        found = [str(signal_id) for (signal_id,) in connection.execute(ROWS)]
    assert len(found) == len(set(found))
    return set(found)


def _standing(server: Server) -> str:
    with server.connect() as connection:
        statuses = connection.execute(STATUSES).fetchall()
        orders = connection.execute(STATES).fetchall()
    return f"decisions {statuses}, orders {orders}"
