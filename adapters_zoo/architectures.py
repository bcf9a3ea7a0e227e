"""The architectures that may be opened: what of their files a pass reads, by the names that transformers gives."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNREAD = re.compile(r"(^|\.)(pooler|seq_relationship|position_ids|token_type_ids|classifier|qa_outputs|score)(\.|$)")
"""Parts of weight names that belong to other heads, or to buffers that every model makes for itself."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """How the files of a kind of encoder are named. ``head``: the prefix of its masked-language-modelling head.

    ``base`` is the prefix of the encoder itself in files that have a head, and may be absent in others.
    """

    base: str
    head: str
    dense: str
    """The head's first product, which is tied to nothing: with it the file has a head."""

    def is_head(self, name: str) -> bool:
        """Whether a weight belongs to the masked-language-modelling head."""
        return name.startswith(self.head)

    def is_unread(self, name: str) -> bool:
        """Whether no pass of ours reads a weight, so that it does not matter whether it is there."""
        return _UNREAD.search(name) is not None


ARCHITECTURES = {
    "xlm-roberta": Architecture("roberta.", "lm_head.", "lm_head.dense.weight"),
    "roberta": Architecture("roberta.", "lm_head.", "lm_head.dense.weight"),
    "bert": Architecture("bert.", "cls.predictions.", "cls.predictions.transform.dense.weight"),
}
"""By ``model_type``: each is a class of transformers itself, never remote code."""
