"""Pictures of matrices, as SVG, PNG or HTML that needs no network."""

from matrices.plots.heat import ORDERS, Order, heat_map
from matrices.plots.scatter import NothingToPlaceError, donor_map
from matrices.plots.style import FORMATS, MISSING, Chart, Format, format_of, render, save

__all__ = [
    "FORMATS",
    "MISSING",
    "ORDERS",
    "Chart",
    "Format",
    "NothingToPlaceError",
    "Order",
    "donor_map",
    "format_of",
    "heat_map",
    "render",
    "save",
]
