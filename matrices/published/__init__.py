"""Tables that others published or exported: read with every line checked, scored, imported, and known by name.

A file is a ``sheets`` of texts; ``headers``, ``grids``, ``numerals`` and ``scales`` say what stands where and in which
unit; ``reading`` makes ``lines`` of it; ``scores`` and ``importing`` make a table of scores, or cells, of those.
"""

from matrices.published.lines import TableColumns, TableLine
from matrices.published.reading import Published, read_published
from matrices.published.sheets import PublishedTableError

__all__ = ["Published", "PublishedTableError", "TableColumns", "TableLine", "read_published"]
