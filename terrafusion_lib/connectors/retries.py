"""Retries after transient faults."""

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from terrafusion_lib.connectors.protocol import TransientError

FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0


def retrying(times: int) -> Retrying:
    """Retry up to `times` times after a TransientError, waiting longer each time (seconds).

    Waits are randomized so that two clients in a deadlock do not collide again; this affects no
    result.
    """
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(times + 1),
        wait=wait_exponential_jitter(multiplier=FIRST_WAIT, max=LONGEST_WAIT, jitter=FIRST_WAIT),
        reraise=True,
    )
