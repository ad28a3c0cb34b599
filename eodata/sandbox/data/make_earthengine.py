"""Make the two lists of the simulated Earth Engine from the tests of the client `earthengine-api`.

Run it with the folder `ee/tests` of an installed client.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LISTED = ("filter", "view", "pageSize", "pageToken")
"""Parameters of `listAssets` that today's client sends and the document of 2020 has not."""


def patched(document: str) -> dict[str, Any]:
    """Return the discovery document in version v1, with the parameters that clients send."""
    found: dict[str, Any] = json.loads(document.replace("v1alpha", "v1"))
    projects = found["resources"]["projects"]
    for place in (projects, projects["resources"]["assets"]):
        parameters = place["methods"]["listAssets"]["parameters"]
        for name in LISTED:
            kind = {"type": "integer", "format": "int32"} if name == "pageSize" else {}
            parameters[name] = {"location": "query", "type": "string", **kind}
    return found


def keep(name: str, content: Any) -> None:
    """Write one list; the same content gives the same bytes."""
    text = json.dumps(content, separators=(",", ":")).encode()
    (HERE / name).write_bytes(gzip.compress(text, 9, mtime=0))


def main(folder: Path) -> None:
    """Make both files."""
    discovery = (folder / "cloud_api_discovery_document.json").read_text(encoding="utf-8")
    keep("earthengine_discovery.json.gz", patched(discovery))
    algorithms = json.loads((folder / "algorithms.json").read_text(encoding="utf-8"))
    keep("earthengine_algorithms.json.gz", algorithms)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
