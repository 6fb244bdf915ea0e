"""Trying again after a fault that may pass."""

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from terrafusion_lib.connectors.protocol import TransientError

FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0


def retrying(times: int) -> Retrying:
    """Call again up to `times` times after a TransientError, waiting longer each time (seconds).

    The waits carry a random part, so that two clients that met in a deadlock do not meet again;
    they touch no result.
    """
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(times + 1),
        wait=wait_exponential_jitter(multiplier=FIRST_WAIT, max=LONGEST_WAIT, jitter=FIRST_WAIT),
        reraise=True,
    )
