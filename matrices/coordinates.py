"""Where languages are at home, roughly: for maps, and for nothing that is computed."""

from __future__ import annotations

from matrices.languoids import languoid


def place_of(code: str) -> tuple[float, float] | None:
    """Latitude and longitude in degrees, to a tenth; None where it is not known."""
    known = languoid(code)
    if known is None or known.latitude is None or known.longitude is None:
        return None
    return round(known.latitude, 1), round(known.longitude, 1)
