"""The port on a collector in a process of its own."""

from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from crossfade.model.comparing import ShadowReading
from crossfade.model.terms import NoData

_READING: TypeAdapter[ShadowReading] = TypeAdapter(ShadowReading)


class CollectorClient:
    """Asks the collector at `url`; holds no connection, so that one that was started anew is found."""

    def __init__(self, url: str, *, timeout_s: float = 1.0) -> None:
        self._url, self._timeout_s = url, timeout_s

    def reading(self) -> ShadowReading | NoData:
        try:
            return _READING.validate_json(self._get())
        except (OSError, HTTPException) as failure:
            return NoData(reason=f"the collector of shadow answers is silent: {str(failure) or type(failure).__name__}")
        except ValidationError:
            return NoData(reason=f"what answers at {self._url} is no collector of shadow answers")

    def _get(self) -> bytes:
        connection = HTTPConnection(urlsplit(self._url).netloc, timeout=self._timeout_s)
        try:
            connection.request("GET", "/reading")
            return connection.getresponse().read()
        finally:
            connection.close()
