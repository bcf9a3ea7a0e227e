"""The architectures that may be opened: what of their files a pass reads, by the names that transformers gives."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_UNREAD = re.compile(
    r"(^|\.)(pooler|seq_relationship|mask_predictions|position_ids|token_type_ids|classifier|qa_outputs|score)(\.|$)"
)
"""Parts of weight names that belong to other heads, or to buffers that every model makes for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """How the files of a kind of encoder name things, and where its model keeps its layers.

    ``base`` is the prefix of the encoder itself in files that have a head, and may be absent in others.
    """

    classes: str
    """What the names of its classes in transformers begin with."""
    base: str
    head: tuple[str, ...]
    """Prefixes of its masked-language-modelling head."""
    dense: tuple[str, ...]
    """Weights of the head that are tied to nothing: with one of them the file has a head."""
    words: str = "embeddings.word_embeddings.weight"
    """How the name of the token embeddings ends."""
    layers: str = "encoder.layer"
    """Where in the model the list of its layers is."""
    closing: tuple[str, ...] = ()
    """Prefixes of what stands above the last layer."""
    layer_count: str = "num_hidden_layers"
    """What ``config.json`` calls the number of layers."""
    width: str = "hidden_size"
    """What ``config.json`` calls the hidden size."""

    def is_head(self, name: str) -> bool:
        """Whether a weight belongs to the masked-language-modelling head."""
        return name.startswith(self.head)

    def is_unread(self, name: str) -> bool:
        """Whether no pass of ours reads a weight, so that it does not matter whether it is there."""
        return _UNREAD.search(name) is not None

    def layer_of(self, name: str) -> int | None:
        """The layer that a weight of the whole model belongs to, if it belongs to one."""
        match = re.match(rf"{re.escape(self.base + self.layers)}\.(\d+)\.", name)
        return None if match is None else int(match[1])

    def closes(self, name: str) -> bool:
        """Whether a weight of the whole model is read above the last layer, and is no head's."""
        return name.startswith(tuple(self.base + part for part in self.closing))


_ROBERTA = Architecture(classes="Roberta", base="roberta.", head=("lm_head.",), dense=("lm_head.dense.weight",))
ARCHITECTURES = {
    "xlm-roberta": replace(_ROBERTA, classes="XLMRoberta"),
    "roberta": _ROBERTA,
    "bert": Architecture(
        classes="Bert", base="bert.", head=("cls.predictions.",), dense=("cls.predictions.transform.dense.weight",)
    ),
    "distilbert": Architecture(
        classes="DistilBert",
        base="distilbert.",
        head=("vocab_",),
        dense=("vocab_transform.weight",),
        layers="transformer.layer",
        layer_count="n_layers",
        width="dim",
    ),
    "deberta-v2": Architecture(
        classes="DebertaV2",
        base="deberta.",
        head=("cls.predictions.", "lm_predictions."),
        dense=("cls.predictions.transform.dense.weight", "lm_predictions.lm_head.dense.weight"),
    ),
    "modernbert": Architecture(
        classes="ModernBert",
        base="model.",
        head=("head.", "decoder."),
        # Its classifiers have a `head.` too.
        dense=("decoder.bias",),
        words="embeddings.tok_embeddings.weight",
        layers="layers",
        closing=("final_norm.",),
    ),
}
"""By ``model_type``: each is a class of transformers itself, never remote code."""
