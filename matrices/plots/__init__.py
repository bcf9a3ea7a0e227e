"""Pictures of matrices, as SVG, PDF, PNG or HTML that needs no network."""

from matrices.plots.heat import ORDERS, Order, heat_map
from matrices.plots.scatter import NothingToPlaceError, donor_map
from matrices.plots.style import AS_DRAWN, FORMATS, MISSING, Chart, Figure, Format, format_of, render, save

__all__ = [
    "AS_DRAWN",
    "FORMATS",
    "MISSING",
    "ORDERS",
    "Chart",
    "Figure",
    "Format",
    "NothingToPlaceError",
    "Order",
    "donor_map",
    "format_of",
    "heat_map",
    "render",
    "save",
]
