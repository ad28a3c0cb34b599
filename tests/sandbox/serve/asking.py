"""Ask a server on this machine over real sockets."""

import json
import urllib.error
import urllib.request


def ask(url, method="GET", body=None, **headers):
    """Return status, headers and body of an answer, errors included."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 (ours)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


async def echo(scope, receive, send):
    """Answer every request with its path and method as JSON, in 40 chunks."""
    assert scope["type"] == "http"
    body = json.dumps({"path": scope["path"], "pad": "x" * 4000}).encode()
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    for at in range(0, len(body), 100):
        more = at + 100 < len(body)
        await send({"type": "http.response.body", "body": body[at : at + 100], "more_body": more})
