"""What tests of several floors share."""

from __future__ import annotations

import pytest

from eodata import resources
from eodata.core.product import Product


@pytest.fixture(scope="session")
def tables() -> dict[str, Product]:
    """The product tables that travel with eodata."""
    return resources.products()
