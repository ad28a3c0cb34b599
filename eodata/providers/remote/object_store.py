"""Ranges of files with s3:// addresses, with the keys of the environment. Never retries.

obstore signs requests; its own retries are off, because they know no Retry-After.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from eodata.core.endpoint import Endpoint, ObjectStoreRule
from eodata.core.errors import AuthError, ProviderError
from eodata.providers.remote.addresses import cleaned
from eodata.providers.remote.failures import broken_off, no_ranges, refusal, unusable
from eodata.providers.remote.http import Piece
from eodata.providers.remote.ranges import Range

if TYPE_CHECKING:
    from eodata.providers.remote.transport import Address

_STATUS = re.compile(r"status code: (\d{3})")
_NO_RANGES = "Received non-partial response"
_ELSEWHERE = "Received redirect without LOCATION"
_SESSION = {"AWS_ACCESS_KEY_ID": "AWS_SESSION_TOKEN"}
"""Temporary keys of AWS have a third part, which belongs to them and to no other keys."""


class ObjectStores:
    """The buckets of one endpoint.

    Args:
        endpoint: Says where the object store is and which variables hold its keys.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._open: dict[tuple[str, bool], Any] = {}

    async def piece(self, address: Address, part: Range) -> Piece:
        """Fetch bytes `[start, stop)`; fewer where the file ends before.

        Raises:
            ProviderError: Any other answer, or none.
        """
        import obstore
        from obstore.exceptions import (
            BaseError,
            PermissionDeniedError,
            UnauthenticatedError,
        )

        parts = urlsplit(address.url)
        store = self._store(parts.netloc, address.requester_pays)
        try:
            answer = await obstore.get_async(store, parts.path.lstrip("/"), options={"range": part})
            # obstore has compared their number with what the server says that it sends.
            return Piece(bytes(await answer.bytes_async()), answer.meta["size"])
        except FileNotFoundError:
            raise refusal(address.url, 404) from None
        except (PermissionDeniedError, UnauthenticatedError):
            raise refusal(address.url, 403) from None
        except ValueError:
            raise unusable(address.url, "an object store has no such keys") from None
        except BaseError as error:
            raise _as_failure(address.url, str(error)) from None

    def _store(self, bucket: str, pays: bool) -> Any:
        key = (bucket, pays)
        if key not in self._open:
            self._open[key] = self._connect(bucket, pays)
        return self._open[key]

    def _connect(self, bucket: str, pays: bool) -> Any:
        from datetime import timedelta

        from obstore.store import S3Store

        rule = self._rule(bucket)
        keys = self._keys(rule, pays)
        # obstore reads the environment too; what is said here goes before.
        config: dict[str, Any] = {"skip_signature": True}
        if keys:
            config = {"credential_provider": lambda: keys}
        if rule.region:
            config["region"] = rule.region
        if url := _address(rule):
            config |= {"endpoint": url, "virtual_hosted_style_request": False}
        if pays:
            config["request_payer"] = True
        return S3Store(
            bucket,
            **config,
            client_options={
                "allow_http": rule.url.startswith("http://"),
                "timeout": timedelta(seconds=10 * self._endpoint.patience),
                "read_timeout": timedelta(seconds=self._endpoint.patience),
            },
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
        )

    def _keys(self, rule: ObjectStoreRule, pays: bool) -> dict[str, Any]:
        """Return the keys; none where buckets open without."""
        names = {"access_key_id": rule.access_key, "secret_access_key": rule.secret_key}
        if rule.anonymous and not pays and not all(os.environ.get(n) for n in names.values()):
            return {}
        keys: dict[str, Any] = {key: _secret(self._endpoint, name) for key, name in names.items()}
        session = os.environ.get(_SESSION.get(rule.access_key, ""), "")
        return keys | ({"token": session} if session else {}) | {"expires_at": None}

    def check_keys(self, pays: bool) -> None:
        """Raise when the keys that its buckets ask for are not there.

        Raises:
            AuthError: With the names of the variables.
            ProviderError: The endpoint has no object store.
        """
        self._keys(self._rule("s3"), pays)

    def _rule(self, bucket: str) -> ObjectStoreRule:
        if self._endpoint.object_store is None:
            raise ProviderError(
                self._endpoint.name,
                f"a file lies in the bucket {bucket}",
                "the endpoint's row does not say how its object store is reached.",
                "Add `object_store:` to the row.",
            )
        return self._endpoint.object_store


def _address(rule: ObjectStoreRule) -> str:
    """Return where the object store is; "" for AWS without a region."""
    return rule.url or (f"https://s3.{rule.region}.amazonaws.com" if rule.region else "")


def _secret(endpoint: Endpoint, variable: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise AuthError(
            endpoint.name,
            f"the environment has no {variable}",
            "its files lie in an object store that opens with keys.",
            f"{endpoint.note[:1].upper()}{endpoint.note[1:]}.",
        )
    return value


def _as_failure(where: str, told: str) -> ProviderError:
    """Return our error; obstore tells the status in its text only."""
    first = told.partition("\n")[0]
    status = _STATUS.search(first)
    if status is not None:
        return refusal(where, int(status[1]))
    if _NO_RANGES in first:
        return no_ranges(where)
    if _ELSEWHERE in first:
        return unusable(where, "its bucket is in another region than the endpoint's row says")
    return broken_off(where, cleaned(first[:200]))
