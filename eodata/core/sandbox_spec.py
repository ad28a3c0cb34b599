"""What can be asked of the sandbox: which simulated Earth, and which defects its archives carry."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eodata.core.strict import Strict, settings_in


class Defects(Strict):
    """Defects of the archive itself, planted item by item; the truth says where.

    All rates are shares of items, drawn from the seed and the item, so that the same items are
    defective in every run.
    """

    shift_rate: float = Field(default=0.0, ge=0, le=1, description="Items that are displaced.")
    shift_px: float = Field(
        default=2.0, ge=0, description="Largest displacement along each axis [10 m px]."
    )
    bend_px: float = Field(
        default=0.0,
        ge=0,
        description="Largest smooth displacement within a displaced item, along each axis, beside "
        "its shift [10 m px].",
    )
    band_shift_px: float = Field(
        default=0.0,
        ge=0,
        description="Largest displacement between the bands of an item [10 m px].",
    )
    duplicates: float = Field(
        default=0.0, ge=0, le=1, description="Acquisitions that were processed twice."
    )
    wrong_cloud_cover: float = Field(
        default=0.0, ge=0, le=1, description="Items whose cloud cover is that of another."
    )
    wrong_offset: float = Field(
        default=0.0, ge=0, le=1, description="Items whose offset flag contradicts their numbers."
    )
    all_nodata: float = Field(
        default=0.0, ge=0, le=1, description="Items whose pixels are all nodata."
    )


class SandboxSettings(Strict):
    """One simulated Earth and its archives, for the provider `sandbox`."""

    seed: int = Field(default=1, ge=0, lt=2**31, description="Another seed, another Earth.")
    mode: Literal["planet", "plane"] = Field(
        default="planet", description="plane: pixel values are coordinates and time."
    )
    defects: Defects = Defects()

    @classmethod
    def from_text(cls, text: str) -> SandboxSettings:
        """Read what `world` writes: `seed=7 mode=plane shift_rate=0.3`, in any order.

        Raises:
            RecipeError: A part is no `key=value`, or a key or value is none of these settings.
        """
        told = settings_in(text, "--sandbox", SETTING_NAMES, "seed=7 mode=plane")
        defects = {key: value for key, value in told.items() if key in Defects.model_fields}
        others = {key: value for key, value in told.items() if key not in defects}
        return cls.parse({**others, "defects": defects} if defects else others, "--sandbox")

    @property
    def world(self) -> str:
        """All that is not the default, in one line: `seed=7`, `seed=1 mode=plane`."""
        told = self.model_dump(exclude_defaults=True, exclude={"seed", "defects"})
        told |= self.defects.model_dump(exclude_defaults=True)
        return " ".join(f"{key}={value}" for key, value in {"seed": self.seed, **told}.items())


SETTING_NAMES = ("seed", "mode", *Defects.model_fields)
