"""Make `data-folder-0.1.0.tar.xz`: a data folder as release 0.1.0 left it.

The release was made before the modules moved (its last commit is c742ed9), so this file is not a
module of the present code. Run it in a clone of that commit, with its own `.venv`, and name the
archive to write:

    .venv/bin/python /path/to/make-data-folder-0.1.0.py data-folder-0.1.0.tar.xz

Everything in the folder comes from that release's own functions: its commands, its tracker, its
API, and the paper account and the stand-ins for Alpine and Alpaca of its tests. Two things are
written by hand: lines of the journal that are meant to be wrong, and a candidate whose process
ended at a moment that is hard to hit. The secret key is not packed. The archive also has what that
release's `verify_signals --json` says about the folder.
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

ROOT = Path.cwd()
FOLDER = Path(tempfile.mkdtemp(prefix="argo-0.1.0-"))
sys.path.insert(0, str(ROOT))
os.environ |= {
    "ARGO_DATA_DIR": str(FOLDER), "DJANGO_SETTINGS_MODULE": "argo.settings",
    "SIGNAL_SEGMENT_BYTES": "16384",  # so that there are sealed segments
    "PAPER_FEE": "0.05", "ARGO_LOG_LEVEL": "ERROR",
}  # fmt: skip

import django  # noqa: E402

from tests.legacy import legacy_database, legacy_row  # noqa: E402

legacy_database(FOLDER / "signals.db", [legacy_row(number) for number in range(10)])
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import Client  # noqa: E402
from execution.brokers.paper.ticket import Terms  # noqa: E402
from execution.desk import Desk  # noqa: E402
from execution.filling import record  # noqa: E402
from execution.matching import Costs  # noqa: E402
from signals.api_keys import create_key, revoke  # noqa: E402
from signals.outcomes import record_outcome  # noqa: E402
from sync.deliver import Deliverer  # noqa: E402

from argo.errors import Conflict  # noqa: E402
from execution import by_hand, counterfactuals, decisions, halts, monitor, reconciling  # noqa: E402
from execution.brokers.alpaca import AlpacaBroker  # noqa: E402
from execution.brokers.protocol import BrokerError  # noqa: E402
from execution.prop_firm.rule_set import DailyLoss, RuleSet  # noqa: E402
from signals import ledger  # noqa: E402
from signals.clock import utc_now  # noqa: E402
from signals.market.protocol import Quote  # noqa: E402
from signals.models import CandidateRecord, DeadLetter, Signal  # noqa: E402
from signals.tracker import SignalTracker  # noqa: E402
from sync.alpine import AlpineSyncService  # noqa: E402
from sync.claims import Claims  # noqa: E402
from sync.models import Delivery  # noqa: E402
from sync.outbox import queue_missing  # noqa: E402
from tests.execution.brokers import alpaca_server  # noqa: E402
from tests.execution.brokers.alpaca_exchange import Exchange  # noqa: E402
from tests.execution.desks import Trading, fill_of, orders_of, position_of  # noqa: E402
from tests.samples import a_signal  # noqa: E402
from tests.sync import alpine_server  # noqa: E402
from tests.sync.alpine_server import answer  # noqa: E402

COSTS = Costs(spread=Decimal("0.04"), slippage=Decimal("0.01"), fee=Decimal("0.1"))
TIMED_OUT = BrokerError("no answer within 10 s", permanent=False)
REFUSED = BrokerError("insufficient buying power", permanent=True)
REPLAYED = ("--symbols", "IBM", "--from", "2008-01-01", "--min-confidence", "60")


def log_signals() -> None:
    """Strategies, regimes, votes, unknown fields, other scripts, other origins, other spellings."""
    tracker = SignalTracker.from_settings("python", hints=False)
    tracker.log_signals([
        a_signal(strategy="weighted_consensus", regime="BULL", confidence=85.5, sources=4,
                 agreement=0.8125, reasoning="10-day mean above 30-day",
                 votes=[{"source": "trend", "vote": "BUY", "confidence": 90.0, "weight": 0.25}]),
        a_signal(strategy="mean_reversion", regime="CRISIS", action="SELL", symbol="BTC-USD",
                 asset_type="crypto", entry_price=42000.125, target_price=40000.0,
                 stop_price=43000.0, confidence=100.0),
        a_signal(strategy="Ausbruch über 20 Tage", regime="CHOP",
                 reasoning="高値を更新: déjà vu 🙂", desk="北京", tags=["a", "b"],
                 nested={"deep": {"er": [1, 2.5, None, True]}}),
        a_signal(strategy="tiny", symbol="DOGE-USD", asset_type="crypto", entry_price=1e-7,
                 target_price=1.1e-7, stop_price=0.95e-7, confidence=0.0),
        a_signal(strategy="fraction", timestamp="2025-01-15T10:30:00.123456Z"),
        a_signal(strategy="no regime", data_source="somewhere else", regime="UNKNOWN"),
    ])  # fmt: skip
    key = create_key("writer", ["read", "write"])
    posted = a_signal(strategy="posted", symbol="MSFT", note="über HTTP")
    answered = Client().post("/api/signals", json.dumps(posted), content_type="application/json",
                             headers={"X-API-Key": key, "Host": "localhost"})  # fmt: skip
    assert answered.status_code == 202, answered.content
    create_key("reader", ["read"])
    revoke(create_key("old", ["read", "write"]), utc_now())
    call_command("flush_signals")


def import_signals() -> None:
    """History with its hashes and outcomes; a part of it for Alpine too."""
    older = FOLDER / "older.db"
    legacy_database(older, [legacy_row(number, asset_type="stock") for number in range(100, 108)])
    call_command("import_signals", str(older))
    lines = FOLDER / "older.jsonl"
    rows = [legacy_row(number, extra_field="kept") for number in range(200, 204)]
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    call_command("import_signals", str(lines), "--sync")
    older.unlink()
    lines.unlink()


def make_dead_letters() -> None:
    """A conflict and a line that is no signal; a person has looked at both."""
    tracker = SignalTracker.from_settings("python", hints=False)
    tracker.log_signals([a_signal(signal_id="mine-1", strategy="with an id")])
    with suppress(Conflict):
        tracker.log_signals([a_signal(signal_id="mine-1", strategy="another")])
    ledger.journal().append([b"\xff what is this", b'{"symbol": "AAPL"}'])
    tracker.flush()
    DeadLetter.objects.filter(resolved_at=None).update(resolved_at=utc_now())


def change_outcomes() -> None:
    """Recorded, corrected and taken back by a person."""
    ids = list(Signal.objects.filter(strategy__in=["posted", "fraction", "no regime"])
               .order_by("id").values_list("signal_id", flat=True))  # fmt: skip

    def change(signal_id: str, outcome: str | None, exit_price: float | None, why: str) -> None:
        record_outcome(signal_id, outcome=outcome, exit_price=exit_price, who="Zoë", why=why,
                       now=utc_now(), journal=ledger.journal())  # fmt: skip

    change(ids[0], "win", 158.0, "target hit")
    change(ids[0], "loss", 146.0, "no: the stop came first")
    change(ids[1], "breakeven", 150.5, "closed where it began")
    change(ids[2], "expired", None, "nobody knows the price")
    change(ids[2], None, None, "it was too early to say")


def begin_trading() -> Trading:
    """The account `paper` of this folder, with a market and a clock that this file moves."""
    trading = Trading.begun(ledger.journal(), Terms(COSTS))
    decisions.utc_now = trading.clock
    decisions.hint = lambda: None
    return trading


def trade_on_paper(trading: Trading) -> None:
    """Each way in which a trade can go."""
    trading.trade(strategy="wins")
    trading.move(111.0)
    trading.move(100.0)
    trading.trade(strategy="short wins", action="SELL")
    trading.move(89.0)
    trading.move(100.0)
    trading.trade(strategy="expires")
    trading.clock.pass_by(days=31)
    trading.move(103.0)
    trading.move(103.0)
    trading.move(100.0)
    closed_by_hand = trading.trade(strategy="closed by hand")
    by_hand.close("paper", position_of(closed_by_hand), who="Zoë", why="the news")
    trading.move(101.0)
    trading.move(100.0)
    unprotected = trading.trade(strategy="loses its stop")
    trading.broker.broker.cancel(orders_of(unprotected)["stop"].broker_id)
    trading.move(100.0)
    trading.move(99.0)
    trading.move(100.0)
    trading.log(strategy="unsure", confidence=10.0)
    trading.decide()
    rejected = trading.log(strategy="rejected")
    trading.broker.before["submit"] = REFUSED
    trading.decide()
    assert orders_of(rejected)["entry"].state == "rejected"
    canceled = trading.log(strategy="canceled")
    trading.broker.before.clear()
    trading.decide()
    by_hand.cancel(trading.desk, orders_of(canceled)["entry"], who="Zoë", why="not now")
    loses(trading)


def loses(trading: Trading) -> None:
    trading.trade(strategy="loses")
    trading.move(94.0)
    trading.move(100.0)


def halt_and_fail(trading: Trading) -> None:
    """Halts by a person and by a firm's rule, lifted; orders in doubt; fills refused; failures."""
    trading.clock.pass_by(days=1)
    trading.move(100.0)
    halts.latch("paper", "by_hand", "Feiertag: nobody watches", trading.clock(), by="Zoë")
    trading.log(strategy="while halted")
    trading.decide()
    halts.lift("paper", by="Zoë", why="back again", now=trading.clock())
    too_late = trading.log(strategy="denied late")
    trading.broker.before["submit"] = TIMED_OUT
    trading.decide()
    trading.broker.before.clear()
    trading.wait(minutes=20)
    trading.look()
    assert orders_of(too_late)["entry"].state == "denied", orders_of(too_late)
    firm = RuleSet(name="firm", source="test", zone="UTC",
                   daily_loss=DailyLoss(percent=Decimal("0.3"), basis="equity"))  # fmt: skip
    of_firm = trading.changed(rule_set=firm)
    of_firm.trade(strategy="breaches", symbol="AAPL")
    of_firm.move(96.0)
    halts.lift("paper", by="Zoë", why="I know", now=trading.clock())
    trading.move(112.0)
    trading.move(100.0)
    trading.clock.pass_by(days=1)
    trading.move(100.0)
    overfilled = trading.trade(strategy="overfilled")
    entry = orders_of(overfilled)["entry"]
    record(trading.desk, [fill_of(entry, 1, 100, 9, time=trading.clock())])
    trading.broker.before["account"] = TIMED_OUT
    with suppress(BrokerError):
        trading.look()
    trading.broker.before.clear()


def leave_open(trading: Trading) -> None:
    """A position that is open, an order in doubt, a decision that a worker died with, a halt."""
    halts.lift("paper", by="Zoë", why="the fill was the broker's mistake", now=trading.clock())
    trading.market.quotes["MSFT"] = Quote(100.0, trading.clock())
    trading.log(strategy="in doubt", symbol="MSFT")
    trading.broker.before |= {"submit": TIMED_OUT, "find": TIMED_OUT}
    trading.decide()
    trading.log(strategy="died with", symbol="GOOG")
    decisions.claim("paper", "a worker that died", 1, trading.clock())
    trading.log(strategy="waits", symbol="IBM")
    trading.broker.before["account"] = TIMED_OUT
    with suppress(BrokerError):
        trading.look()
    halts.latch("paper", "by_hand", "the weekend", trading.clock(), by="Zoë")
    counterfactuals.follow(trading.desk)


def trade_at_alpaca(trading: Trading) -> None:
    """The same at a broker over HTTP: won, filled in part, waiting, gone by its word."""
    with alpaca_server.running() as alpaca:
        alpaca.exchange.now = trading.clock() - timedelta(hours=1)
        alpaca.exchange.prices |= dict.fromkeys(["AAPL", "IBM", "GOOG", "MSFT"], Decimal(100))
        broker = AlpacaBroker("PKTHEKEY", "theSecret", alpaca.url, clock=trading.clock)
        desk = replace(trading.desk, account="alpaca-paper", broker=broker)
        there = replace(trading, desk=desk)
        for symbol in ("AAPL", "IBM", "GOOG", "MSFT"):
            trading.market.quotes[symbol] = Quote(100.0, trading.clock())
            there.log(strategy=f"{symbol} at alpaca", symbol=symbol)
        there.decide()
        entries = {each["symbol"]: each for each in alpaca.exchange.orders if not each["parent"]}
        alpaca.exchange.fill(entries["AAPL"])
        alpaca.exchange.fill(entries["IBM"], "10")
        monitor.monitor(desk)
        alpaca.exchange.move("AAPL", "111")
        monitor.monitor(desk)
        assert reconciling.reconcile(desk) == []
        settle_one(desk, alpaca.exchange, entries["MSFT"])
        halts.latch("alpaca-paper", "mismatch", "the broker holds 1 TSLA, we hold none",
                    trading.clock(), figures={"symbol": "TSLA"})  # fmt: skip


def settle_one(desk: Desk, exchange: Exchange, entry: dict[str, object]) -> None:
    """A position that the broker does not hold any more is closed by its word."""
    exchange.fill(entry)
    monitor.monitor(desk)
    exchange.positions.pop(str(entry["symbol"]))
    assert reconciling.reconcile(desk)
    assert reconciling.settle(desk, by="Zoë", why="I sold it there")
    halts.lift("alpaca-paper", by="Zoë", why="settled", now=desk.clock())


def replay_and_be_killed() -> None:
    """A replay that trades, and one further in time that is killed in the middle of it."""
    call_command("replay", "--execute", *REPLAYED, "--to", "2008-05-31")
    connections.close_all()
    killed = subprocess.run(
        [sys.executable, "-m", "tests.execution.crash.replayer", "150", *REPLAYED, "--to",
         "2008-12-31"], env=os.environ, cwd=ROOT, check=False)  # fmt: skip
    assert killed.returncode == -9, killed.returncode


def interrupt_a_candidate() -> None:
    """One that passed, and whose process ended before the signal was logged."""
    passed = CandidateRecord.objects.exclude(signal_id=None).order_by("pk").last()
    passed.pk, passed.signal_id, passed.candidate_id = None, None, f"{passed.candidate_id[:-4]}left"
    passed.symbol = "MSFT"
    passed.save(force_insert=True)


def deliver() -> None:
    """Deliveries in every state, and a breaker that is open."""
    for _ in queue_missing(utc_now()):
        pass
    ids = list(Delivery.objects.order_by("pk").values_list("signal__signal_id", flat=True))
    refused, failing = set(ids[1:4]), set(ids[4:7])
    with alpine_server.running() as alpine, ExitStack() as stack:
        alpine.choose = lambda signal_id, times: (
            answer(422, '{"error": "ungültig"}'.encode()) if signal_id in refused
            else answer(500, b"down") if signal_id in failing else alpine_server.accept
        )  # fmt: skip
        service = AlpineSyncService(alpine.endpoint, "the key", sleep=lambda seconds: None)
        stack.callback(service.close)
        first = ids[: len(ids) // 2]
        later = Delivery.objects.exclude(signal__signal_id__in=first)
        later.update(due_at=utc_now() + timedelta(hours=1))
        Deliverer(service, concurrency=2).run()
        later.update(due_at=utc_now() - timedelta(hours=1))
        endpoint = alpine.endpoint
    assert len(Claims("a worker that died", timedelta(minutes=1)).claim(3, utc_now())) == 3
    gone = AlpineSyncService(endpoint, "the key", sleep=lambda seconds: None)
    Deliverer(gone, concurrency=2).run()
    gone.close()


def leave_pending() -> None:
    """Acknowledged, and not yet in the database."""
    tracker = SignalTracker.from_settings("api", hints=False)
    tracker.accept([a_signal(strategy="pending"), a_signal(strategy="pending", später="ja")])


def pack(archive: Path) -> None:
    """The database as one file, the journal, and what this release says about them."""
    for database in connections.all():
        database.close()
        database.dispose_pool()
    verified = subprocess.run(
        [sys.executable, "manage.py", "verify_signals", "--json"], cwd=ROOT, env=os.environ,
        capture_output=True, text=True, check=True)  # fmt: skip
    (FOLDER / "verified.json").write_text(verified.stdout)
    from sqlite3 import connect

    with closing(connect(FOLDER / "signals.db", isolation_level=None)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with tarfile.open(archive, "w:xz", preset=9) as tar:
        for path in sorted(FOLDER.glob("signals*")):
            if path.suffix in (".db", ".log", ".id"):
                tar.add(path, path.name, filter=_anonymous)
        tar.add(FOLDER / "verified.json", "verified.json", filter=_anonymous)
    print(verified.stdout, archive, archive.stat().st_size, FOLDER)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def main() -> None:
    call_command("migrate", verbosity=0)
    log_signals()
    import_signals()
    make_dead_letters()
    change_outcomes()
    trading = begin_trading()
    trade_on_paper(trading)
    halt_and_fail(trading)
    trade_at_alpaca(trading)
    leave_open(trading)
    replay_and_be_killed()
    interrupt_a_candidate()
    deliver()
    leave_pending()
    pack(Path(sys.argv[1]).resolve())


if __name__ == "__main__":
    main()
