"""Which providers exist, what each needs, and how one is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from eodata import resources
from eodata.core.errors import AuthError, RecipeError, nearest
from eodata.core.protocols import Provider


@dataclass(frozen=True, slots=True)
class Registration:
    """One provider.

    Attributes:
        name: As recipes spell it.
        meaning: One sentence for `eodata doctor`.
        needs: What must be given before it can be used.
        packages: Modules that must be installed.
        open: From its location (a path, a URL, a project) to the provider.
        on_request: True when it serves only those who ask for it by name.
        by_account: True when it has a location only for those who have an account.
    """

    name: str
    meaning: str
    needs: str
    packages: tuple[str, ...]
    open: Callable[[str], Provider]
    on_request: bool = False
    by_account: bool = False

    @property
    def is_usable(self) -> bool:
        """True when everything that it imports is installed here."""
        return all(find_spec(package) is not None for package in self.packages)


def _open_archive(location: str) -> Provider:
    from eodata.providers.archive import ArchiveProvider

    return ArchiveProvider(location)


def _open_sandbox(location: str) -> Provider:
    from eodata.providers.sandbox import SandboxProvider

    return SandboxProvider.open(location)


def _open_stac(location: str) -> Provider:
    from eodata.providers.stac import StacProvider

    return StacProvider.open(location)


def _endpoints() -> Iterator[Registration]:
    for row in resources.endpoints().values():
        yield Registration(row.name, row.title, row.note, STAC_PACKAGES, _open_stac)
    yield Registration(
        name="stac",
        meaning="any other STAC API",
        needs="stac: {url: …} in the recipe, or --endpoint stac=URL",
        packages=STAC_PACKAGES,
        open=_open_stac,
    )


def _open_earthengine(location: str) -> Provider:
    from eodata.providers.earthengine.provider import EarthEngineProvider

    return EarthEngineProvider.open(location)


STAC_PACKAGES = ("aiohttp", "obstore", "pystac_client")
REGISTRY: dict[str, Registration] = {
    r.name: r
    for r in (
        Registration(
            name="archive",
            meaning="a static STAC catalog of GeoTIFFs on this machine",
            needs="archive: {catalog: …} in the recipe, or --archive PATH",
            packages=("pystac", "rasterio"),
            open=_open_archive,
        ),
        *_endpoints(),
        Registration(
            name="earthengine",
            meaning="Google Earth Engine",
            needs="an account (earthengine authenticate, or GOOGLE_APPLICATION_CREDENTIALS) and a "
            "project: EARTHENGINE_PROJECT=…, or earthengine: {project: …} in the recipe",
            packages=("ee",),
            open=_open_earthengine,
            by_account=True,
        ),
        Registration(
            name="sandbox",
            meaning="a simulated Earth in this process: SYNTHETIC pixels with known truth",
            needs="--provider sandbox, or provider: sandbox in the recipe",
            packages=(),
            open=_open_sandbox,
            on_request=True,
        ),
    )
}


def open_provider(name: str, locations: Mapping[str, str]) -> Provider:
    """Open a provider.

    Args:
        name: As recipes spell it.
        locations: Where each provider is found, by name.

    Raises:
        RecipeError: There is no such provider, or it has no location.
        AuthError: It has none because there is no account.
    """
    if name not in REGISTRY:
        raise RecipeError("provider", f'there is no provider "{name}"', "", nearest(name, REGISTRY))
    if name not in locations:
        kind = AuthError if REGISTRY[name].by_account else RecipeError
        raise kind("provider", f"{name} has no location", "", f"Give {REGISTRY[name].needs}.")
    return REGISTRY[name].open(locations[name])
