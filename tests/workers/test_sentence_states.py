from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from adapters_zoo.backbone import Encoder
from adapters_zoo.sources import check_encoder
from workers.corpora import open_corpora
from workers.sentence_states import encoder_likeness, sentence_states


@pytest.fixture(scope="module")
def encoder(tiny_encoder_folder: Path) -> Encoder:
    return Encoder(check_encoder(tiny_encoder_folder))


def test_a_sentence_s_state_is_the_mean_of_its_tokens_whatever_it_is_batched_with(
    encoder: Encoder, tiny_corpora: Path
) -> None:
    text = next(iter(open_corpora(tiny_corpora).texts))
    found = open_corpora(tiny_corpora).text(text.entry.language)
    assert found is not None
    sentences = found.sentences[:40]

    together = sentence_states(encoder, sentences)
    ids = encoder.tokenizer.encode(sentences[7], add_special_tokens=False).ids
    with torch.inference_mode():
        hidden = encoder.hidden(torch.tensor([[encoder.special.begin, *ids, encoder.special.end]]))

    assert together.shape == (40, encoder.hidden_size)
    np.testing.assert_allclose(together[7], hidden[0, 1:-1].mean(dim=0).numpy(), atol=1e-5)


def test_languages_are_as_alike_as_their_sentences_are_to_the_encoder(encoder: Encoder, tiny_corpora: Path) -> None:
    folder = open_corpora(tiny_corpora)
    texts = {entry.entry.language: folder.text(entry.entry.language) for entry in list(folder.texts)[:3]}
    sentences = {code: text.sentences[:20] for code, text in texts.items() if text is not None}
    one = next(iter(sentences))
    told: list[tuple[int, int]] = []

    found = encoder_likeness(
        encoder, {**sentences, "qzz": sentences[one]}, tick=lambda done, total: told.append((done, total))
    )

    cosine = found.cosines["state cosine"]
    assert found.codes == (*sentences, "qzz")
    assert cosine[0, -1] == pytest.approx(1)
    assert (cosine[0, 1:-1] < 1 - 1e-6).all()
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
