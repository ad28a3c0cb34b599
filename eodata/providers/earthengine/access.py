"""Which credentials and which project this machine has for Earth Engine. Reads; asks nobody.

Secrets are looked at, never kept: what is found here is the kind of credentials and a project's
name, and both may be shown.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECTS = ("EARTHENGINE_PROJECT", "GOOGLE_CLOUD_PROJECT")
"""Environment variables that name a project, the first goes before the second."""
KEY_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
"""Environment variable that holds the path of a key file."""
OWN_FILE = (".config", "earthengine", "credentials")
"""Where `earthengine authenticate` writes, below the home folder."""
ADC_FILE = "application_default_credentials.json"
LOG_IN = "Run: earthengine authenticate"
NAME_PROJECT = (
    "Name the project: EARTHENGINE_PROJECT=… in the environment, or earthengine: {project: …} in "
    "the recipe. A free one for research: https://code.earthengine.google.com/register"
)


@dataclass(frozen=True, slots=True)
class Access:
    """What was found.

    Attributes:
        credentials: What kind they are, in words; `""` for none.
        project: Cloud project; `""` for none.
        source: What names the project, in words.
    """

    credentials: str = ""
    project: str = ""
    source: str = ""

    @property
    def is_complete(self) -> bool:
        """True when requests can be made."""
        return bool(self.credentials and self.project)

    @property
    def advice(self) -> str:
        """What to do, `""` when nothing is missing."""
        steps = [] if self.credentials else [f"{LOG_IN}."]
        return " ".join([*steps, *([] if self.project else [f"{NAME_PROJECT}."])])

    def __str__(self) -> str:
        credentials = self.credentials or "no credentials"
        project = f"project {self.project} ({self.source})" if self.project else "no project"
        return f"{credentials}, {project}"


def find_access(project: str = "") -> Access:
    """Return what this machine has.

    Args:
        project: The one that the recipe names; goes before all others.
    """
    kind, own_project, source = _credentials()
    named = [(project, "the recipe")] if project else []
    named += [(os.environ[name], name) for name in PROJECTS if os.environ.get(name)]
    if own_project:
        named.append((own_project, source))
    found, told_by = named[0] if named else ("", "")
    return Access(kind, found, told_by)


def _credentials() -> tuple[str, str, str]:
    """Return the kind of credentials, the project that they name, and where it stands.

    The order is that of Earth Engine's client.
    """
    own = _read(Path.home().joinpath(*OWN_FILE))
    if own.get("refresh_token"):
        return "an account (earthengine authenticate)", str(own.get("project") or ""), "account"
    given = os.environ.get(KEY_FILE, "")
    key = _read(Path(given)) if given else _read(_default_file())
    kind = str(key.get("type", ""))
    named = str(key.get("quota_project_id") or key.get("project_id") or own.get("project") or "")
    words = {"service_account": "a service account", "authorized_user": "an account"}
    if not kind:
        return "", str(own.get("project") or ""), "account"
    origin = KEY_FILE if given else "gcloud"
    return f"{words.get(kind, kind.replace('_', ' '))} ({origin})", named, origin


def _default_file() -> Path:
    """Return where `gcloud auth application-default login` writes."""
    folder = os.environ.get("CLOUDSDK_CONFIG")
    if folder:
        return Path(folder) / ADC_FILE
    if os.name == "nt":
        return Path(os.environ.get("APPDATA", "")) / "gcloud" / ADC_FILE
    return Path.home() / ".config" / "gcloud" / ADC_FILE


def _read(path: Path) -> Mapping[str, Any]:
    """Return what a file of credentials says; nothing where there is none or it says nothing."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
