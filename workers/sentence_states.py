"""What an encoder makes of plain sentences: states that `matrices.likeness.encoder_states` compares languages by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from adapters_zoo.backbone import Encoder
from matrices.likeness.encoder_states import likeness_of_states
from matrices.likeness.text import Overlaps
from matrices.scores import Floats
from workers.encoding import TOKENS, EncodedItems, collate, evaluation_batches
from workers.sequences import Pieces
from workers.tasks import task_of
from workers.tasks.classification import LabelledText

Tick = Callable[[int, int], None]
"""Told how many languages are done, and of how many."""


def sentence_states(encoder: Encoder, sentences: Sequence[str]) -> Floats:
    """The mean last hidden state [n, hidden] of the tokens of each sentence, those at its ends left out.

    No adapter is in place. A sentence longer than the encoder takes is cut.
    """
    task, pieces = task_of("classification"), Pieces(encoder)
    texts = [LabelledText(f"{at}", text, "") for at, text in enumerate(sentences)]
    sequences = [sequence for at, text in enumerate(texts) for sequence in task.encode(pieces, at, text)]
    encoded = EncodedItems(task, tuple(sequences), len(texts))
    states = np.zeros((len(sentences), encoder.hidden_size))
    with torch.inference_mode():
        for indices in evaluation_batches(encoded, TOKENS[encoder.device.type]):
            batch = collate(encoded, indices, encoder.special.pad)
            hidden = encoder.hidden(batch.ids, batch.mask).cpu()
            inside = (batch.unit_of >= 0)[:, :, None].to(hidden.dtype)
            means = (hidden * inside).sum(dim=1) / inside.sum(dim=1)
            states[[encoded.sequences[index].item for index in indices]] = means.numpy()
    return states


def encoder_likeness(
    encoder: Encoder,
    sentences: Mapping[str, Sequence[str]],
    parallel: Mapping[str, int] | None = None,
    tick: Tick | None = None,
) -> Overlaps:
    """How alike languages are to an encoder, from plain sentences by language; as ``likeness_of_states`` says.

    The first ``parallel`` sentences of each language are translations of each other's.
    """
    states: dict[str, Floats] = {}
    for done, (code, lines) in enumerate(sentences.items(), start=1):
        states[code] = sentence_states(encoder, lines)
        if tick is not None:
            tick(done, len(sentences))
    return likeness_of_states(states, parallel)
