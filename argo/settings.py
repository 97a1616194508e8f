"""Settings, read from the environment (`.env.example` lists them); an invalid value is refused."""

import tomllib
from math import ceil
from pathlib import Path
from typing import Any

import django_stubs_ext

from argo.environment import Environment, refusal
from argo.logs.areas import AREAS, LEVELS
from argo.logs.config import logging_settings
from argo.metrics import slots
from argo.private import close_folder
from argo.secret import load_or_make_secret

django_stubs_ext.monkeypatch()  # lets classes of Django name their model, as in ModelAdmin[Signal]

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
env.load(BASE_DIR / ".env")
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]

# --- What this installation is ---------------------------------------------------------------
DATA_DIR = env.folder("ARGO_DATA_DIR", "data", base=BASE_DIR)
close_folder(DATA_DIR)
DEBUG = env.flag("ARGO_DEBUG", default=False)
SECRET_KEY = env.text("ARGO_SECRET_KEY", "") or load_or_make_secret(DATA_DIR / "secret.key")
ALLOWED_HOSTS = env.names("ARGO_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
HTTPS = env.flag("ARGO_HTTPS", default=False)
WEB_HOST = env.text("ARGO_WEB_HOST", "127.0.0.1")
WEB_PORT = env.integer("ARGO_WEB_PORT", 8000, minimum=1, maximum=65535)
SIGNAL_DURABILITY = env.choice("SIGNAL_DURABILITY", "local", ("local", "database"))
WEB_THREADS = env.integer(  # with `database` most of them wait for the same commit
    "ARGO_WEB_THREADS", 8 if SIGNAL_DURABILITY == "local" else 64, minimum=1, maximum=256
)
WEB_CONNECTIONS = env.integer("ARGO_WEB_CONNECTIONS", 1000, minimum=16, maximum=100_000)
WEB_HEAD_TIMEOUT = 5.0  # an unfinished head delays the shutdown no longer than that
WEB_READ_TIMEOUT = env.seconds("ARGO_WEB_READ_TIMEOUT", 30.0, minimum=1.0, maximum=3600)
TRUSTED_PROXIES = env.networks("ARGO_TRUSTED_PROXIES", "")
HISTORY_DAYS = env.integer("HISTORY_DAYS", 35, minimum=1, maximum=3650)
REQUIRE_SECOND_FACTOR = env.choice("REQUIRE_SECOND_FACTOR", "off", ("off", "traders"))
SESSION_IDLE = env.seconds("ARGO_SESSION_IDLE", 43200.0, minimum=300.0, maximum=365 * 86400)
SESSION_LIFETIME = env.seconds(
    "ARGO_SESSION_LIFETIME", 604800.0, minimum=300.0, maximum=365 * 86400
)
METRICS_PUBLIC = env.flag("METRICS_PUBLIC", default=False)
METRICS_DIR = DATA_DIR / "metrics"
slots.install(METRICS_DIR)
LOG_LEVEL = env.choice("ARGO_LOG_LEVEL", "INFO", LEVELS)
LOG_LEVELS = env.choices("ARGO_LOG_LEVELS", "", keys=tuple(AREAS), choices=LEVELS)
LOG_FORMAT = env.choice("ARGO_LOG_FORMAT", "text", ("text", "json"))

# --- Signals ---------------------------------------------------------------------------------
SIGNAL_BATCH_SIZE = env.integer("SIGNAL_BATCH_SIZE", 50, minimum=1)
SIGNAL_BATCH_TIMEOUT = env.seconds("SIGNAL_BATCH_TIMEOUT", 5.0, minimum=0.1)
SIGNAL_FLUSH_LINGER = env.seconds("SIGNAL_FLUSH_LINGER", 0.05, minimum=0.0, maximum=60)
SIGNAL_FLUSH_ROWS = env.integer("SIGNAL_FLUSH_ROWS", 5000, minimum=1, maximum=100_000)
SIGNAL_DURABILITY_WAIT = env.seconds("SIGNAL_DURABILITY_WAIT", 2.0, minimum=0.05, maximum=60)
SIGNAL_DURABILITY_FALLBACK = env.flag("SIGNAL_DURABILITY_FALLBACK", default=False)
SIGNAL_POOL_SIZE = env.integer("SIGNAL_POOL_SIZE", 5, minimum=1, maximum=5)
SIGNAL_POOL_TIMEOUT = env.seconds("SIGNAL_POOL_TIMEOUT", 10.0, minimum=0.1)
SIGNAL_SUMS_INTERVAL = env.seconds("SIGNAL_SUMS_INTERVAL", 5.0, minimum=0.1)
SIGNAL_SEGMENT_BYTES = env.integer("SIGNAL_SEGMENT_BYTES", 64 * 2**20, minimum=4096)
ALERTS_INTERVAL = env.seconds("ALERTS_INTERVAL", 5.0, minimum=0.1, maximum=3600)
RATE_LIMITS = {  # requests of one key within a minute, by scope; 0: no limit
    "read": env.integer("RATE_LIMIT_READ", 0, minimum=0, maximum=10_000_000),
    "write": env.integer("RATE_LIMIT_WRITE", 0, minimum=0, maximum=10_000_000),
    "trade": env.integer("RATE_LIMIT_TRADE", 0, minimum=0, maximum=10_000_000),
    "admin": env.integer("RATE_LIMIT_ADMIN", 0, minimum=0, maximum=10_000_000),
}
IDEMPOTENCY_HOURS = env.integer("IDEMPOTENCY_HOURS", 24, minimum=1, maximum=720)
CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS", "")
API_MAX_BODY_BYTES = env.integer("API_MAX_BODY_BYTES", 8 * 2**20, minimum=1024)
FEED_READERS = env.integer("FEED_READERS", 500, minimum=1, maximum=100_000)
FEED_READERS_PER_KEY = env.integer("FEED_READERS_PER_KEY", 100, minimum=1, maximum=100_000)

RECORD_ORIGIN = env.log_origin("RECORD_ORIGIN")
RECORD_PUBLIC = env.flag("RECORD_PUBLIC", default=False)
RECORD_HEARTBEAT = env.seconds("RECORD_HEARTBEAT", 86400.0, minimum=60.0, maximum=365 * 86400)
RECORD_STRATEGIES = env.listed("RECORD_STRATEGIES", "")
RECORD_WITNESSES = env.listed("RECORD_WITNESSES", "")
RECORD_WITNESSES_NEEDED = env.integer("RECORD_WITNESSES_NEEDED", 0, minimum=0, maximum=1000)
RECORD_WITNESS_INTERVAL = env.seconds(
    "RECORD_WITNESS_INTERVAL", 3600.0, minimum=60.0, maximum=31 * 86400
)
RECORD_STAMP_AUTHORITIES = env.listed("RECORD_STAMP_AUTHORITIES", "")
RECORD_STAMP_CERTIFICATES = env.text("RECORD_STAMP_CERTIFICATES", "")
RECORD_STAMP_INTERVAL = env.seconds(
    "RECORD_STAMP_INTERVAL", 86400.0, minimum=60.0, maximum=366 * 86400
)

SIGNAL_STORED_HANDLERS: tuple[str, ...] = (
    "sync.outbox.enqueue",
    "execution.decisions.queue.enqueue",
    "signals.ledger.announcing.announce_stored",
    "signals.alerts.rows.record_stored",
)
"""Dotted paths called in order, inside the flush transaction, with the signals just stored.

Each takes a `Sequence[signals.ledger.store.StoredSignal]`. They only insert rows.
"""
SIGNAL_EXIT_HANDLERS: tuple[str, ...] = ("execution.exits.end_signal",)
"""Dotted paths called in order when an alert ends a signal, with its primary key and the reason.

Each returns a `signals.alerts.exits.Ending`; the first other than FREE counts.
"""
RECORD_ACCOUNTS = "execution.accounts.rows.traded_names"
"""Returns the names of the accounts that signals may be decided for: the record names them."""
RECORD_WITNESS_NOW = "sync.record.running.witness_now"
"""Asks the witnesses of the record at once, and returns what became of it."""
RECORD_STANDING = "sync.record.standing.standing"
"""Returns how the record stands with its witnesses and time stamp authorities."""
RECORD_SEEN_BY: tuple[str, ...] = ("sync.record.seen.checkpoints",)
"""Dotted paths called with the origin before a process signs its first checkpoint.

Each returns the checkpoints that witnesses have seen, as `signals.record.log.disk.Signed`.
"""
EVENT_HANDLERS: tuple[str, ...] = (
    "sync.webhooks.outbox.enqueue",
    "sync.telling.tell",
)
"""Dotted paths called in order, inside the transaction that makes events, with their
`signals.events.EventType` and a function that returns their data. They only insert rows.
"""

# --- Making signals --------------------------------------------------------------------------
MARKET_DATA = env.choice("MARKET_DATA", "sample", ("sample", "files", "alpaca"))
MARKET_IS_LIVE = MARKET_DATA != "sample"  # the sample's bars end in the past
SAMPLE_SYMBOLS = "AAPL,FB,GOOG,IBM,MSFT"  # FB is another security by now: never ask a live market
MARKET_SYMBOLS = env.listed("MARKET_SYMBOLS", "" if MARKET_IS_LIVE else SAMPLE_SYMBOLS)
MARKET_INTERVAL = env.seconds("MARKET_INTERVAL", 60.0, minimum=1.0)
MARKET_TIMEOUT = env.seconds("MARKET_TIMEOUT", 20.0, minimum=0.1)
MARKET_THREADS = env.integer("MARKET_THREADS", 4, minimum=1, maximum=64)
MARKET_EXCHANGE = env.text("MARKET_EXCHANGE", "XNYS")
MARKET_FOLDER = BASE_DIR / env.text("MARKET_FOLDER", "data/bars")
INSTRUMENTS_FILE = env.text("INSTRUMENTS_FILE", "")
MARKET_TICKS = env.numbers("MARKET_TICKS", "", minimum=1e-12, maximum=1e6)
MARKET_PRICE_MAX_AGE = env.seconds("MARKET_PRICE_MAX_AGE", 900.0, minimum=1.0, maximum=10 * 86400)
MARKET_AFTER_CLOSE = env.seconds("MARKET_AFTER_CLOSE", 3600.0, minimum=0.0)
ALPACA_API_KEY = env.text("ALPACA_API_KEY", "")
ALPACA_SECRET_KEY = env.text("ALPACA_SECRET_KEY", "")
ALPACA_DATA_URL = env.url(
    "ALPACA_DATA_URL", "https://data.alpaca.markets", schemes=("http", "https")
)
ALPACA_FEED = env.choice("ALPACA_FEED", "iex", ("iex", "sip", "delayed_sip"))

SIGNAL_SOURCES = env.weights(
    "SIGNAL_SOURCES",
    "signals.generation.sources.trend=0.25, signals.generation.sources.momentum=0.25, "
    "signals.generation.sources.breakout=0.2, signals.generation.sources.mean_reversion=0.15, "
    "signals.generation.sources.volume=0.15",
)
"""Modules with a function `vote`, and the weight of each."""
SIGNAL_WEIGHTS = {
    "BULL": env.weights("SIGNAL_WEIGHTS_BULL", ""),
    "BEAR": env.weights("SIGNAL_WEIGHTS_BEAR", ""),
    "CHOP": env.weights("SIGNAL_WEIGHTS_CHOP", ""),
    "CRISIS": env.weights("SIGNAL_WEIGHTS_CRISIS", ""),
    "UNKNOWN": env.weights("SIGNAL_WEIGHTS_UNKNOWN", ""),
}
"""The weights that differ in a regime, by source: the last part of its module's name."""
REGIMES = tuple(SIGNAL_WEIGHTS)
SIGNAL_REGIME_FACTORS = env.numbers(
    "SIGNAL_REGIME_FACTORS",
    "CHOP=0.95, CRISIS=0.85, UNKNOWN=0.9",
    minimum=0.01,
    maximum=1.0,
    keys=REGIMES,
)
SIGNAL_MIN_SOURCES = env.integer("SIGNAL_MIN_SOURCES", 2, minimum=1, maximum=100)
SIGNAL_TARGET = env.text("SIGNAL_TARGET", "5%")
SIGNAL_STOP = env.text("SIGNAL_STOP", "3%")
SIGNAL_MIN_STOP = env.number("SIGNAL_MIN_STOP", 0.2, minimum=0.0, maximum=100.0)
SIGNAL_MAX_STOP = env.number("SIGNAL_MAX_STOP", 20.0, minimum=0.0, maximum=100.0)
SIGNAL_COOLDOWN = env.integer("SIGNAL_COOLDOWN", 10, minimum=1)
SIGNAL_MAX_JUMP = env.number("SIGNAL_MAX_JUMP", 1.8, minimum=1.01, maximum=1000.0)
MIN_CONFIDENCE = env.number("MIN_CONFIDENCE", 75.0, minimum=0.0, maximum=100.0)
MIN_CONFIDENCE_BY_REGIME = env.numbers(
    "MIN_CONFIDENCE_BY_REGIME", "", minimum=0.0, maximum=100.0, keys=REGIMES
)
MIN_CONFIDENCE_BY_STRATEGY = env.numbers(
    "MIN_CONFIDENCE_BY_STRATEGY", "", minimum=0.0, maximum=100.0
)
CALIBRATION = env.integer("CALIBRATION", 0, minimum=0, maximum=2**31 - 1)  # 0: none
PROP_FIRM_MIN_CONFIDENCE = env.number("PROP_FIRM_MIN_CONFIDENCE", 0.0, minimum=0.0, maximum=100.0)

# --- Sync ------------------------------------------------------------------------------------
ALPINE_ENDPOINT = env.url(
    "ALPINE_ENDPOINT", "http://91.98.153.49:8001/api/signals", schemes=("http", "https")
)
ALPINE_API_KEY = env.text("ALPINE_API_KEY", "")
SYNC_CONCURRENCY = env.integer("SYNC_CONCURRENCY", 8, minimum=1, maximum=64)
SYNC_MAX_ATTEMPTS = env.integer("SYNC_MAX_ATTEMPTS", 15, minimum=1)
SYNC_INTERVAL = env.seconds("SYNC_INTERVAL", 5.0, minimum=0.1)

# --- Events ----------------------------------------------------------------------------------
WEBHOOK_ALLOWED_HOSTS = tuple(name.lower() for name in env.listed("WEBHOOK_ALLOWED_HOSTS", ""))
WEBHOOK_CONCURRENCY = env.integer("WEBHOOK_CONCURRENCY", 4, minimum=1, maximum=64)
WEBHOOK_TIMEOUT = env.seconds("WEBHOOK_TIMEOUT", 15.0, minimum=0.1, maximum=120)
WEBHOOK_KEEP_DAYS = env.integer("WEBHOOK_KEEP_DAYS", 30, minimum=1, maximum=3650)

# --- Notifications ---------------------------------------------------------------------------
NOTIFY_URLS = env.text("NOTIFY_URLS", "").split()  # secrets: never log or show one
NOTIFY_INTERVAL = env.seconds("NOTIFY_INTERVAL", 60.0, minimum=0.0)
NOTIFY_CHECK_INTERVAL = env.seconds("NOTIFY_CHECK_INTERVAL", 15.0, minimum=0.5, maximum=3600)
NOTIFY_QUIET = env.times_or_off("NOTIFY_QUIET", "off")
NOTIFY_ZONE = env.zone("NOTIFY_ZONE", "UTC")
NOTIFY_URGENT = env.listed("NOTIFY_URGENT", "halt.set,execution.halted,execution.unprotected,test")
NOTIFY_EVENTS = env.listed("NOTIFY_EVENTS", "")
NOTIFY_TEMPLATES = DATA_DIR / env.text("NOTIFY_TEMPLATES", "notify")

# --- Reports ---------------------------------------------------------------------------------
REPORT_TIME = env.time_or_off("REPORT_TIME", "00:30")
REPORT_KEEP_DAYS = env.integer("REPORT_KEEP_DAYS", 90, minimum=0, maximum=36500)

# --- Execution -------------------------------------------------------------------------------
AUTO_EXECUTE = env.flag("AUTO_EXECUTE", default=False)
BROKER = env.choice("BROKER", "paper", ("paper", "alpaca"))
ALPACA_LIVE = env.text("ALPACA_LIVE", "")
ALPACA_TRADING_URL = env.text("ALPACA_TRADING_URL", "")
ALPACA_SEC_FEE = env.number("ALPACA_SEC_FEE", 20.6, minimum=0.0, maximum=1000.0)
ALPACA_TAF = env.number("ALPACA_TAF", 0.000195, minimum=0.0, maximum=1.0)
ALPACA_TAF_MOST = env.number("ALPACA_TAF_MOST", 9.79, minimum=0.0, maximum=1000.0)
TRADING_ACCOUNT = (  # an account's rows are never mixed with another's
    "paper" if BROKER == "paper" else "alpaca-live" if ALPACA_LIVE == "yes" else "alpaca-paper"
)
TRADING_ZONE = env.text("TRADING_ZONE", "America/New_York")
EXECUTION_INTERVAL = env.seconds("EXECUTION_INTERVAL", 5.0, minimum=0.1)
MONITOR_INTERVAL = env.seconds("MONITOR_INTERVAL", 10.0, minimum=0.1)
RECONCILE_INTERVAL = env.seconds("RECONCILE_INTERVAL", 300.0, minimum=1.0)
EXECUTION_MAX_AGE = env.seconds("EXECUTION_MAX_AGE", 900.0, minimum=1.0, maximum=10 * 86400)
POSITION_MAX_DAYS = env.number("POSITION_MAX_DAYS", 30.0, minimum=0.001, maximum=3650.0)
SIZING = env.choice("SIZING", "fixed_risk", ("fixed_risk", "fixed_fraction"))
SIZING_PERCENT = env.number("SIZING_PERCENT", 0.5, minimum=0.001, maximum=100.0)
SIZING_SCALED = env.flag("SIZING_SCALED", default=False)
ACCOUNT_CURRENCY = env.names("ACCOUNT_CURRENCY", "USD,USDT,USDC")
RISK_ALLOWED = env.listed("RISK_ALLOWED", "")
RISK_RESTRICTED = env.listed("RISK_RESTRICTED", "")
RISK_GROUPS = [group.split("+") for group in env.listed("RISK_GROUPS", "")]
RISK_MAX_DISTANCE = env.number("RISK_MAX_DISTANCE", 1.0, minimum=0.0, maximum=100.0)
RISK_MAX_STOP = env.number("RISK_MAX_STOP", 20.0, minimum=0.01, maximum=100.0)
RISK_MAX_POSITIONS = env.integer("RISK_MAX_POSITIONS", 10, minimum=1)
RISK_MAX_PER_SYMBOL = env.integer("RISK_MAX_PER_SYMBOL", 1, minimum=1)
RISK_MAX_PER_GROUP = env.integer("RISK_MAX_PER_GROUP", 3, minimum=1)
RISK_MAX_POSITION = env.number("RISK_MAX_POSITION", 10.0, minimum=0.001, maximum=100.0)
RISK_MAX_DAILY_LOSS = env.number("RISK_MAX_DAILY_LOSS", 3.0, minimum=0.001, maximum=100.0)
RISK_MAX_DRAWDOWN = env.number("RISK_MAX_DRAWDOWN", 10.0, minimum=0.001, maximum=100.0)
RISK_ORDERS_A_MINUTE = env.integer("RISK_ORDERS_A_MINUTE", 10, minimum=1)
RISK_LOSSES_IN_A_ROW = env.integer("RISK_LOSSES_IN_A_ROW", 3, minimum=1)
RISK_COOLDOWN = env.seconds("RISK_COOLDOWN", 3600.0, minimum=0.0, maximum=365 * 86400)
PROP_FIRM = env.text("PROP_FIRM", "off")
PROP_FIRM_FILE = env.text("PROP_FIRM_FILE", "")
PROP_FIRM_STARTING_BALANCE = env.number(  # 0: not stated
    "PROP_FIRM_STARTING_BALANCE", 0.0, minimum=0.0, maximum=1e12
)
PROP_FIRM_DAYS_DONE = env.integer("PROP_FIRM_DAYS_DONE", 0, minimum=0, maximum=10_000)
PAPER_DEPOSIT = env.number("PAPER_DEPOSIT", 100_000.0, minimum=1.0, maximum=1e12)
PAPER_SPREAD = env.number("PAPER_SPREAD", 0.02, minimum=0.0, maximum=50.0)
PAPER_SLIPPAGE = env.number("PAPER_SLIPPAGE", 0.02, minimum=0.0, maximum=50.0)
PAPER_FEE = env.number("PAPER_FEE", 0.0, minimum=0.0, maximum=50.0)
PAPER_VOLUME_SHARE = env.number("PAPER_VOLUME_SHARE", 0.0, minimum=0.0, maximum=100.0)
REPLAY_EXECUTION = "execution.replay.trading.execution"
"""What `replay --execute` trades with, named here because signals does not import execution."""

# --- Database --------------------------------------------------------------------------------
DATABASE_DIRECT: dict[str, Any] | None = None
"""The server itself, if DATABASE_URL leads to a pooler."""
if env.text("DATABASE_DIRECT_URL", ""):
    DATABASE_DIRECT = env.database(
        "DATABASE_DIRECT_URL", DATA_DIR, schemes=("postgres", "postgresql")
    )
DATABASE_POOL_SIZE = env.integer("DATABASE_POOL_SIZE", 10, minimum=2, maximum=1000)
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database(
        "DATABASE_URL", DATA_DIR / "signals.db", schemes=("sqlite", "postgres", "postgresql")
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    if SIGNAL_DURABILITY != "local":
        raise refusal("SIGNAL_DURABILITY", SIGNAL_DURABILITY, "local while DATABASE_URL is SQLite")
    DATABASES["default"] |= {
        "ENGINE": "argo.sqlite",
        "CONN_MAX_AGE": 0,  # a connection goes back to the pool after each request or task
        "OPTIONS": {"pool_size": SIGNAL_POOL_SIZE, "pool_timeout": SIGNAL_POOL_TIMEOUT},
    }
else:
    DATABASES["default"] |= {
        "ENGINE": "argo.postgresql",
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            **DATABASES["default"].get("OPTIONS", {}),
            "pool_size": DATABASE_POOL_SIZE,
            "pool_timeout": SIGNAL_POOL_TIMEOUT,
            "connect_timeout": 5,
            "tcp_user_timeout": 15_000,  # ms; a server that a network lost is not waited for
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 2,
        },
    }
    if "," in DATABASES["default"]["HOST"]:  # a primary and its standbys: find the primary
        DATABASES["default"]["OPTIONS"]["target_session_attrs"] = "read-write"
WEB_DRAIN = env.seconds(  # with several machines a load balancer must notice that one stops
    "ARGO_WEB_DRAIN",
    0.0 if DATABASES["default"]["ENGINE"] == "argo.sqlite" else 5.0,
    minimum=0.0,
    maximum=300,
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Celery ----------------------------------------------------------------------------------
BROKER_DIR = DATA_DIR / "broker"
CELERY_BROKER_URL = env.url(
    "CELERY_BROKER_URL",
    "filesystem://localhost/",
    schemes=("filesystem", "redis", "rediss", "amqp", "amqps"),
)
QUEUE_TYPE = env.choice("CELERY_QUEUE_TYPE", "quorum", ("quorum", "classic"))  # of RabbitMQ
CELERY_WORKER_CONSUMER = "argo.consumer:Consumer"
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # there are no results, so no daily clean-up
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "signals.tasks.flush": {"queue": "flush"},
    "signals.tasks.sequence": {"queue": "flush"},
    "signals.tasks.enter_record": {"queue": "record"},
    "signals.tasks.publish_record": {"queue": "record"},
    "sync.tasks.witness_record": {"queue": "record"},
    "sync.tasks.stamp_record": {"queue": "record"},
    "sync.tasks.*": {"queue": "sync"},
    "signals.tasks.generate": {"queue": "generation"},
    "signals.tasks.alerts": {"queue": "execution"},
    "execution.tasks.*": {"queue": "execution"},
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20.0
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULER = "argo.beat:LockedScheduler"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "flush": {
        "task": "signals.tasks.flush",
        "schedule": SIGNAL_BATCH_TIMEOUT,
        "options": {"expire_seconds": ceil(SIGNAL_BATCH_TIMEOUT)},  # the next message does the same
    },
    "sequence": {
        "task": "signals.tasks.sequence",
        "schedule": SIGNAL_BATCH_TIMEOUT,
        "options": {"expire_seconds": ceil(SIGNAL_BATCH_TIMEOUT)},
    },
    "sum": {
        "task": "signals.tasks.sum",
        "schedule": SIGNAL_SUMS_INTERVAL,
        "options": {"expire_seconds": ceil(SIGNAL_SUMS_INTERVAL)},
    },
    "alerts": {
        "task": "signals.tasks.alerts",
        "schedule": ALERTS_INTERVAL,
        "options": {"expire_seconds": ceil(ALERTS_INTERVAL)},
    },
    "sample": {
        "task": "argo.tasks.sample",
        "schedule": 300.0,
        "options": {"expire_seconds": 300},
    },
    "deliver": {
        "task": "sync.tasks.deliver",
        "schedule": SYNC_INTERVAL,
        "options": {"expire_seconds": ceil(SYNC_INTERVAL)},
    },
}
CELERY_BEAT_SCHEDULE["send_events"] = {
    "task": "sync.tasks.send_events",
    "schedule": SYNC_INTERVAL,
    "options": {"expire_seconds": ceil(SYNC_INTERVAL)},
}
CELERY_BEAT_SCHEDULE["forget_events"] = {
    "task": "sync.tasks.forget_events",
    "schedule": 3600.0,
    "options": {"expire_seconds": 3600},
}
for name, every in (
    ("execute", EXECUTION_INTERVAL),
    ("monitor", MONITOR_INTERVAL),
    ("reconcile", RECONCILE_INTERVAL),
):
    CELERY_BEAT_SCHEDULE[name] = {
        "task": f"execution.tasks.{name}",
        "schedule": every,
        "options": {"expire_seconds": ceil(every)},
    }
if RECORD_ORIGIN or DATABASES["default"]["ENGINE"] != "argo.sqlite":  # another node may sign
    for name in ("enter_record", "publish_record"):
        CELERY_BEAT_SCHEDULE[name] = {
            "task": f"signals.tasks.{name}",
            "schedule": SIGNAL_BATCH_TIMEOUT,
            "options": {"expire_seconds": ceil(SIGNAL_BATCH_TIMEOUT)},
        }
    for name in ("witness_record", "stamp_record"):
        CELERY_BEAT_SCHEDULE[name] = {
            "task": f"sync.tasks.{name}",
            "schedule": 30.0,  # it looks if a round or another try is due
            "options": {"expire_seconds": 30},
        }
if MARKET_IS_LIVE:
    CELERY_BEAT_SCHEDULE["generate"] = {
        "task": "signals.tasks.generate",
        "schedule": MARKET_INTERVAL,
        "options": {"expire_seconds": ceil(MARKET_INTERVAL)},
    }
if REPORT_TIME is not None:
    CELERY_BEAT_SCHEDULE["report"] = {
        "task": "argo.tasks.report",
        "schedule": 300.0,  # it looks if the report is due: a failed or missed one is made soon
        "options": {"expire_seconds": 300},
    }
if RECORD_STRATEGIES:
    CELERY_BEAT_SCHEDULE["track_records"] = {
        "task": "argo.tasks.track_records",
        "schedule": 300.0,  # it looks if they are due
        "options": {"expire_seconds": 300},
    }
CELERY_TIMEZONE = "UTC"

# --- Django ----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "argo.site.apps.SiteConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",  # its templates, for FORM_RENDERER
    "django_celery_beat",
    "ninja",  # serves the API's documentation without an external server
    "argo",
    "signals",
    "sync",
    "execution",
]
MIDDLEWARE = [
    "argo.middleware.RequestId",
    "argo.security.SecurityHeaders",  # early: also for what the ones below refuse
    "argo.rates.throttle.RateLimitHeaders",
    "argo.idempotency.posts.KeptAnswers",
    "argo.middleware.RefusalForm",
    "argo.middleware.BodyLimit",
    "argo.conditional.ConditionalReads",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "argo.logins.middleware.CheckedLogins",
    "argo.preferences.zones.TimeZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "argo.site.refusals.RefusalPages",  # last: it knows the user, and its pages pass the others
]
CSRF_FAILURE_VIEW = "argo.site.refusals.forged"
if CORS_ALLOWED_ORIGINS:
    INSTALLED_APPS.append("corsheaders")
    MIDDLEWARE.insert(2, "corsheaders.middleware.CorsMiddleware")  # it answers preflights alone
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_CREDENTIALS = False  # a page elsewhere brings a key, never a login
CORS_ALLOW_METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS")
CORS_ALLOW_HEADERS = (
    "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "prefer",
    "x-api-key", "x-request-id",
)  # fmt: skip
CORS_EXPOSE_HEADERS = (
    "etag",
    "idempotent-replayed",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "x-request-id",
)
ROOT_URLCONF = "argo.urls"
WSGI_APPLICATION = "argo.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # templates/ may replace a widget's
AUTHENTICATION_BACKENDS = ["argo.logins.backend.SlowedBackend"]
SESSION_ENGINE = "argo.logins.sessions"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # Strict would log out who follows a link
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # `up` serves the packages' files without a collectstatic step
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
DATA_UPLOAD_MAX_MEMORY_SIZE = API_MAX_BODY_BYTES
DEFAULT_EXCEPTION_REPORTER_FILTER = "argo.debug_pages.HidesAddresses"

# --- HTTPS -----------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 86400
    # Subdomains and the browsers' preload lists would bind more than Argo's own name.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
    CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]

OWN_PREFIXES = (
    "ARGO_", "SIGNAL_", "ALPINE_", "SYNC_", "MARKET_", "ALPACA_", "CALIBRATION", "MIN_CONFIDENCE",
    "PROP_FIRM", "AUTO_EXECUTE", "BROKER", "EXECUTION_", "MONITOR_", "RECONCILE_", "POSITION_",
    "SIZING", "RISK_", "PAPER_", "TRADING_", "METRICS_", "NOTIFY_", "WEBHOOK_", "INSTRUMENTS_",
    "REPORT_", "HISTORY_", "ALERTS_", "FEED_", "RATE_LIMIT_", "IDEMPOTENCY_", "CORS_",
    "REQUIRE_SECOND", "RECORD_", "DATABASE_POOL_", "DATABASE_DIRECT",
)  # fmt: skip
UNKNOWN_SETTINGS = env.unknown(OWN_PREFIXES)

LOGGING = logging_settings(LOG_LEVEL, LOG_LEVELS, LOG_FORMAT)
