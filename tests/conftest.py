"""What tests of several floors share."""

from __future__ import annotations

import pytest

from eodata import resources
from eodata.core.product import Product


@pytest.fixture(autouse=True)
def no_account(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Tests run as on a machine without an account for Earth Engine, whoever runs them."""
    if request.node.get_closest_marker("online"):
        return
    nowhere = str(tmp_path_factory.getbasetemp())
    for name in ("EARTHENGINE_PROJECT", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", nowhere)
    monkeypatch.setattr("eodata.providers.earthengine.access.OWN_FILE", (nowhere, "none"))


@pytest.fixture(scope="session")
def tables() -> dict[str, Product]:
    """The product tables that travel with eodata."""
    return resources.products()
