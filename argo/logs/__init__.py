"""Logging: structlog's processors behind the standard library's loggers.

Code logs with `logging.getLogger(__name__)`. The settings take their LOGGING from
`argo.logs.config`; `signals.log_context` adds to the lines the signal that they are about.
"""
