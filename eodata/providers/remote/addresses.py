"""What of a URL may be shown, and to whom: tokens and passwords never reach plans or messages."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urlsplit, urlunsplit

from eodata.core.endpoint import Endpoint

_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>]+", re.IGNORECASE)
_QUERY = re.compile(r"\?[^\s'\"<>?]*=[^\s'\"<>]*")
_HOST = re.compile(r"[a-z0-9.-]+")


def without_secrets(url: str) -> str:
    """Return a URL without user, password, query and fragment.

    >>> without_secrets("https://me:pw@host/a.tif?sig=abc")
    'https://host/a.tif'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(a malformed address)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def cleaned(text: str) -> str:
    """Return a text in which every URL is shown without its secrets, paths without their query.

    >>> cleaned("no answer from /search?token=abc at https://me:pw@host/v1?key=abc")
    'no answer from /search at https://host/v1'
    """
    return _QUERY.sub("", _URL.sub(lambda found: without_secrets(found[0]), text))


def origin(url: str) -> str:
    """Return scheme and host, such as `https://example.org`."""
    return _origin(urlsplit(url))


def needs_token(endpoint: Endpoint, url: str) -> bool:
    """Return True for a URL that is opened with a token; no other host may ever see one.

    Hosts beside the endpoint's own get it through encrypted connections only.
    """
    if endpoint.token is None:
        return False
    parts = urlsplit(url)
    if _origin(parts) == origin(endpoint.url):
        return True
    # Of a host with other characters, two parsers may think of two machines.
    host = parts.hostname or ""
    is_plain = parts.scheme == "https" and _HOST.fullmatch(host) is not None
    return is_plain and any(fnmatchcase(host, wanted) for wanted in endpoint.token.hosts)


def _origin(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc.lower()}"
