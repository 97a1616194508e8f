"""Lets all test clients share one list of the static files.

Each client loads the middleware anew, and WhiteNoise then looks at every static file of every app.
A server does that once; in the tests it was half of what a request costs.
"""

from whitenoise.middleware import WhiteNoiseMiddleware

add_files = WhiteNoiseMiddleware.add_files_from_finders
"""WhiteNoise's own way."""
_found: dict[tuple[object, ...], dict[str, object]] = {}
"""The files by what decides how they are served."""


def add_files_once(middleware: WhiteNoiseMiddleware) -> None:
    """Do as WhiteNoise's `add_files_from_finders` does."""
    asked = (middleware.static_prefix, middleware.max_age, middleware.allow_all_origins)
    if asked not in _found:
        add_files(middleware)
        _found[asked] = middleware.files
    middleware.files = dict(_found[asked])
