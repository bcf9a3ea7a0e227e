"""Where languages are at home, roughly: for maps, and for nothing that is computed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from matrices.likeness.typology import position


@lru_cache(maxsize=8192)
def place_of(code: str) -> tuple[float, float] | None:
    """Latitude and longitude in degrees, to a tenth; None where it is not known.

    From the database that the extra ``typology`` brings, as similarities take it; without it no place is known.
    """
    found = position(code)
    if found is None:
        return None
    x, y, z = (float(part) for part in found)
    return round(float(np.degrees(np.arcsin(z))), 1), round(float(np.degrees(np.arctan2(y, x))), 1)
