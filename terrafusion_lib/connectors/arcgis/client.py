"""Requests to an ArcGIS server: its responses, and its errors, which have HTTP status 200."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from terrafusion_lib.connectors.protocol import TransientError
from terrafusion_lib.connectors.retries import retrying
from terrafusion_lib.core.errors import ConnectError

TRANSIENT_CODES = frozenset({408, 429, 500, 502, 503, 504})
TOKEN_CODES = frozenset({401, 403, 498, 499})


class ArcGisClient:
    """Client of one service; transient faults are retried.

    Parameters
    ----------
    url : str
        Service, such as ``https://gis.example.gov/arcgis/rest/services/Parcels/FeatureServer``.
    token : str
        Sent in the body, never in the URL; empty for a public service.
    timeout : float
        Timeout in seconds.
    """

    def __init__(self, url: str, *, token: str, timeout: float, retries: int) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._again = retrying(retries)

    def ask(self, path: str = "", **parameters: object) -> dict[str, Any]:
        """The decoded response of ``<url>/<path>``, an object.

        Raises
        ------
        TransientError
            The server is unavailable or overloaded after all retries.
        ConnectError
            The server rejects the request or the token, or does not return a JSON object.
        """
        return self._again(self._ask, path, {"f": "json"} | parameters)

    def _ask(self, path: str, parameters: dict[str, object]) -> dict[str, Any]:
        url = f"{self._url}/{path}".rstrip("/")
        fields = parameters | ({"token": self._token} if self._token else {})
        body = urllib.parse.urlencode(fields).encode()
        try:
            with urllib.request.urlopen(url, body, self._timeout) as answer:  # noqa: S310 - the options allow http and https only
                text = answer.read()
        except urllib.error.HTTPError as error:
            error.close()
            raise _error(url, error.code, error.reason) from error
        except (OSError, http.client.HTTPException) as error:
            raise TransientError(
                f"{url} did not respond: {getattr(error, 'reason', error)}",
                hint="check the address, and that this machine can reach it",
            ) from error
        return _decoded(url, text)


def _decoded(url: str, text: bytes) -> dict[str, Any]:
    try:
        answer: Any = json.loads(text)
    except ValueError as error:
        raise ConnectError(
            f"{url} did not return JSON",
            examples=[text[:80]],
            cause="the address is a web page or a sign-in form",
            hint="give the service's address, which ends in FeatureServer or MapServer",
        ) from error
    if not isinstance(answer, dict):
        raise ConnectError(
            f"{url} returned JSON, but not an object",
            examples=[text[:80]],
            cause="the address is not an ArcGIS service",
            hint="give the service's address, which ends in FeatureServer or MapServer",
        )
    if answer.get("error"):
        raise _told(url, answer["error"])
    return answer


def _told(url: str, fault: Any) -> ConnectError:
    """The error in a response with HTTP status 200, in any of its formats."""
    if not isinstance(fault, dict):
        return _error(url, 0, str(fault))
    try:
        code = int(fault.get("code") or 0)
    except (TypeError, ValueError):
        code = 0
    details = fault.get("details") or ()
    shown = [details] if isinstance(details, str) or not hasattr(details, "__iter__") else details
    message = fault.get("message") or (fault.get("code") if not code else "")
    return _error(url, code, str(message or "no reason given"), [str(item) for item in shown])


def _error(url: str, code: int, message: str, details: list[str] | None = None) -> ConnectError:
    kind = TransientError if code in TRANSIENT_CODES else ConnectError
    hint = None
    if code in TOKEN_CODES:
        hint = (
            "set the source's token to a reference such as env:ARCGIS_TOKEN that holds a "
            "valid token"
        )
    number = f" with {code}" if code else ""
    return kind(f"{url} refused{number}: {message}", examples=details or [], hint=hint)
