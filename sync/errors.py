"""The one error of sending."""


class SyncError(Exception):
    """Alpine did not take a signal.

    `permanent` where this signal will never pass. `status` is its HTTP answer, None where there
    was none. `is_transport` where the way to Alpine failed, whatever the signal. `retry_after` is
    how many seconds it asks to be left alone.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        status: int | None = None,
        retry_after: float | None = None,
        is_transport: bool = False,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.status = status
        self.retry_after = retry_after
        self.is_transport = is_transport

    @property
    def is_refused_key(self) -> bool:
        return self.status in (401, 403)
