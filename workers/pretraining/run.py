"""The pretraining run: tokenizer, embeddings, then one loop over steps, resumed from checkpoints."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from adapters_zoo.backbone import VERSIONS, masked_language_model, new_masked_language_model
from adapters_zoo.precision import best_precision
from adapters_zoo.sources import CARD, EncoderFiles, check_encoder, locate_encoder
from adapters_zoo.tokens import ROLES, TOKENIZER, SpecialTokens, Vocabulary
from matrices.encoders import pretrained_on
from matrices.whole_file import whole_file
from workers.corpora import open_corpora
from workers.corpora.types import CorpusError, RawText
from workers.encoding import window_starts
from workers.language_modelling import mask_tokens
from workers.pretraining import checkpoint
from workers.pretraining.embeddings import aligned_embeddings
from workers.pretraining.job import PretrainJob
from workers.pretraining.texts import Texts, contrast_batch, save_tokenizer, train_tokenizer, translation_batch

_log = structlog.get_logger(__name__)

_WARM_UP = 100
_FLOOR = 0.05
_TEMPERATURE = 0.05
_MARK = "recipe.txt"

Tick = Callable[[int, int, float], None]
"""Told (steps done, steps in all, mean loss in nats of the last steps) now and then."""


@dataclass(frozen=True, slots=True)
class Pretrained:
    """The encoder that a run made, or found made by the same recipe from the same text."""

    encoder: EncoderFiles
    trained: bool
    seconds: float


def pretrain(job: PretrainJob, tick: Tick | None = None, *, folder: Path = Path()) -> Pretrained:
    """Make the encoder of a job in ``job.out``; ``folder`` is where a relative path of ``job.start`` begins.

    Raises ``CorpusError`` on text that is missing or unusable, and ``EncoderError`` on a start that is. A folder that
    holds the encoder of this very recipe and text is left as it is; one with another encoder is refused.
    """
    start = time.monotonic()
    texts, parallel = _read(job)
    origin = locate_encoder(job.start.name, job.start.revision, relative_to=folder) if job.start else None
    recipe = _recipe(job, texts, origin)
    if (job.out / CARD).is_file():
        card = json.loads((job.out / CARD).read_text(encoding="utf-8"))
        if card["recipe"] == recipe:
            return Pretrained(check_encoder(job.out), False, 0.0)
        raise FileExistsError(f"{job.out} holds an encoder of another recipe or text; choose another `out`")
    if job.out.exists() and (not job.out.is_dir() or any(job.out.iterdir())):
        raise FileExistsError(f"{job.out} is there and is no encoder made by this command; choose another `out`")
    draft = job.out.with_name(job.out.name + ".part")
    draft.mkdir(parents=True, exist_ok=True)
    _claim(draft, recipe)
    loss = _Run(job, draft, texts, parallel, origin).train(tick)
    _write_card(job, draft, recipe, texts, loss, origin)
    for leftover in (checkpoint.FILE, _MARK):
        (draft / leftover).unlink(missing_ok=True)
    draft.rename(job.out)
    return Pretrained(check_encoder(job.out), True, time.monotonic() - start)


class _Run:
    """Model, optimisers and text of one run.

    Step n draws from a generator seeded with n, so a resumed run is the same run.
    """

    def __init__(
        self,
        job: PretrainJob,
        folder: Path,
        texts: Mapping[str, RawText],
        parallel: Mapping[str, Mapping[str, str]],
        origin: EncoderFiles | None,
    ) -> None:
        self.job, self.folder, self.origin = job, folder, origin
        self.vocabulary = self._vocabulary(texts)
        self.tokenizer, self.special = self.vocabulary.tokenizer, self.vocabulary.special
        self.precision = best_precision() if job.precision == "auto" else job.precision
        self.texts = self._tokenised(texts, parallel)
        torch.manual_seed(job.seed)
        self.model, self.head = self._model()
        self.encoder: Any = self.model.base_model
        if job.train == "head":
            self.encoder.requires_grad_(False)  # The output embeddings are tied to those of the input.
        matrices = [weight for weight in self.encoder.encoder.parameters() if weight.ndim == 2 and weight.requires_grad]
        inner = {id(weight) for weight in matrices}
        rest = [weight for weight in self.model.parameters() if id(weight) not in inner and weight.requires_grad]
        # Muon for the matrices inside, AdamW for the rest: AdamW alone stands still at the unigram loss for long.
        self.optimisers: tuple[torch.optim.Optimizer, ...] = (
            torch.optim.AdamW(rest, lr=job.learning_rate, betas=(0.9, 0.98), weight_decay=0.01),
        )
        if matrices:
            muon = torch.optim.Muon(matrices, lr=job.learning_rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
            self.optimisers = (muon, *self.optimisers)

    def _model(self) -> tuple[Any, Any]:
        """The masked language model, and its head."""
        if self.origin is not None:
            return masked_language_model(self.origin)
        job = self.job
        model = new_masked_language_model(
            vocabulary=self.tokenizer.get_vocab_size(),
            layers=job.layers,
            hidden=job.hidden,
            heads=job.heads,
            max_length=job.max_length,
        )
        return model, model.lm_head

    def train(self, tick: Tick | None) -> float:
        """All steps that are left; returns the mean loss of the last ones and writes the encoder."""
        first, recent = checkpoint.restore_checkpoint(self.folder, self.model, self.optimisers)
        if first:
            _log.info("resumed", steps=first, of=self.job.steps)
        if first == 0 and self.job.embeddings == "aligned":
            self._align()
        self.model.train()
        if self.job.train == "head":
            self.encoder.eval()
        for step in range(first, self.job.steps):
            loss = self._step(step)
            recent = [*recent[-99:], loss]
            if tick is not None and step % 10 == 9:
                tick(step + 1, self.job.steps, float(np.mean(recent)))
            if (step + 1) % self.job.checkpoint_every == 0:
                checkpoint.save_checkpoint(self.folder, self.model, self.optimisers, step + 1, recent)
        self.model.eval().save_pretrained(self.folder, safe_serialization=True)
        if self.origin is None:
            save_tokenizer(self.tokenizer, self.folder, self.job.max_length)
        else:
            for name in (TOKENIZER, *ROLES):
                if (self.origin.folder / name).is_file():
                    shutil.copyfile(self.origin.folder / name, self.folder / name)
        return float(np.mean(recent))

    def _step(self, step: int) -> float:
        job = self.job
        rng = np.random.default_rng((job.seed, step))
        torch.manual_seed(job.seed * 1_000_003 + step)
        rate = job.learning_rate * min((step + 1) / _WARM_UP, max(_FLOOR, 1 - step / job.steps), 1.0)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
        draw = rng.random()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16"):
            if draw < job.translation:
                loss = reported = self._translation_loss(rng)
            elif draw < job.translation + job.contrast:
                reported, contrast = self._contrast_loss(rng)
                loss = reported + contrast
            else:
                rows = max(1, job.tokens // job.length)
                loss = reported = self._masked_loss(self.texts.monolingual(rows, job.length, self.special.begin, rng))
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        return float(reported.detach())

    def _masked_loss(self, ids: Tensor) -> Tensor:
        masked = mask_tokens(ids, self.job.masked, self.vocabulary)
        states = self.encoder(masked.ids).last_hidden_state
        return self._token_loss(states[masked.chosen], masked.targets)

    def _translation_loss(self, rng: np.random.Generator) -> Tensor:
        room = self.job.pair_length
        pairs = self.texts.pairs(max(1, self.job.tokens // (2 * room)), room, self.special, rng)
        ids, positions = translation_batch(pairs, room, self.special.pad, offset=self.special.pad + 1)
        masked = mask_tokens(ids, self.job.masked, self.vocabulary)
        attended = (ids != self.special.pad).long()
        states = self.encoder(masked.ids, attention_mask=attended, position_ids=positions).last_hidden_state
        return self._token_loss(states[masked.chosen], masked.targets)

    def _contrast_loss(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Masked-token loss, and InfoNCE over mean states of the last layer but one (as InfoXLM, Chi et al. 2021)."""
        room = self.job.pair_length
        pairs = self.texts.pairs(max(2, self.job.tokens // (2 * room)), room, self.special, rng)
        ids = contrast_batch(pairs, room, self.special.pad)
        masked = mask_tokens(ids, self.job.masked, self.vocabulary)
        attended = ids != self.special.pad
        output = self.encoder(masked.ids, attention_mask=attended.long(), output_hidden_states=True)
        token_loss = self._token_loss(output.last_hidden_state[masked.chosen], masked.targets)
        weights = attended.unsqueeze(-1)
        means = (output.hidden_states[-2] * weights).sum(1) / weights.sum(1)
        first, second = nn.functional.normalize(means.float(), dim=-1).split(len(pairs))
        similarities = first @ second.T / _TEMPERATURE
        same = torch.arange(len(pairs))
        both = nn.functional.cross_entropy(similarities, same) + nn.functional.cross_entropy(similarities.T, same)
        return token_loss, both / 2

    def _token_loss(self, states: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(self.head(states).float(), targets)

    def _vocabulary(self, texts: Mapping[str, RawText]) -> Vocabulary:
        if self.origin is not None:
            return Vocabulary.of(self.origin.folder)
        tokenizer = self._tokenizer(texts)
        return Vocabulary(tokenizer, SpecialTokens.of(tokenizer))

    def _tokenizer(self, texts: Mapping[str, RawText]) -> Tokenizer:
        path = self.folder / TOKENIZER
        if path.is_file():
            return Tokenizer.from_file(str(path))
        tokenizer = train_tokenizer(
            {language: text.sentences for language, text in texts.items()}, self.job.vocabulary, self.job.seed
        )
        # Whole or not at all: a run that was killed here must not resume on half a tokenizer.
        with whole_file(path) as draft:
            tokenizer.save(str(draft))
        return tokenizer

    def _tokenised(self, texts: Mapping[str, RawText], parallel: Mapping[str, Mapping[str, str]]) -> Texts:
        def encode(sentences: list[str]) -> list[np.ndarray]:
            found = self.tokenizer.encode_batch(sentences, add_special_tokens=False)
            return [np.array(one.ids, dtype=np.int32) for one in found]

        streams = []
        for text in texts.values():
            parts = encode(list(text.sentences))
            order = np.random.default_rng(self.job.seed).permutation(len(parts))
            streams.append(np.concatenate([np.append(parts[i], self.special.end) for i in order]))
        lines = [dict(zip(one, encode(list(one.values())), strict=True)) for one in parallel.values()]
        return Texts.smoothed(streams, [self._starts(stream) for stream in streams], lines, self.job.smoothing)

    def _starts(self, stream: np.ndarray) -> np.ndarray:
        """Where a window of a stream may begin."""
        room = min(self.job.length - 1, len(stream))
        if self.job.windows == "anywhere":
            return np.arange(len(stream) - room + 1, dtype=np.int32)
        return window_starts(stream, room, self.special.end)

    def _align(self) -> None:
        weights = aligned_embeddings(
            self.texts.streams,
            self.texts.parallel,
            vocabulary=self.tokenizer.get_vocab_size(),
            hidden=self.job.hidden,
            seed=self.job.seed,
        )
        with torch.no_grad():
            self.model.get_input_embeddings().weight.copy_(torch.from_numpy(weights))


def _read(job: PretrainJob) -> tuple[dict[str, RawText], dict[str, dict[str, str]]]:
    corpora = open_corpora(job.corpora)
    languages = job.languages or tuple(sorted({e.language for e in corpora.entries() if e.kind == "text"}))
    found = {language: corpora.text(language) for language in languages}
    without = [language for language, text in found.items() if text is None or not text.sentences]
    if without or not found:
        raise CorpusError(job.corpora, None, f"no raw text for {', '.join(without) or 'any language'}")
    parallel: dict[str, dict[str, str]] = {}
    if job.needs_parallel_text:
        parallel = {language: lines for language, lines in corpora.parallel_text().items() if language in found}
        spoken = Counter(line for lines in parallel.values() for line in lines)
        if max(spoken.values(), default=0) < 2:
            problem = (
                "no line of parallel text in two of the languages; "
                "set `embeddings: random`, `translation: 0`, `contrast: 0`"
            )
            raise CorpusError(job.corpora, None, problem)
    return {language: text for language, text in found.items() if text is not None}, dict(sorted(parallel.items()))


def _recipe(job: PretrainJob, texts: Mapping[str, RawText], origin: EncoderFiles | None) -> str:
    """Digest of everything that decides the weights, but for how often a run is interrupted."""
    knobs = job.model_dump(mode="json", exclude={"out", "corpora", "checkpoint_every", "start"})
    content = {
        "knobs": knobs,
        "text": {language: text.digest for language, text in texts.items()},
        "start": origin.digest if origin else None,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _claim(draft: Path, recipe: str) -> None:
    """A draft of another recipe must not be resumed: start it afresh."""
    mark = draft / _MARK
    if mark.is_file() and mark.read_text(encoding="utf-8") == recipe:
        for half_written in draft.glob(".*"):  # A run that was killed left it, and it would count among the weights.
            half_written.unlink()
        return
    shutil.rmtree(draft)
    draft.mkdir()
    mark.write_text(recipe, encoding="utf-8")


def _write_card(
    job: PretrainJob,
    folder: Path,
    recipe: str,
    texts: Mapping[str, RawText],
    loss: float,
    origin: EncoderFiles | None,
) -> None:
    card = {
        "recipe": recipe,
        "job": job.model_dump(mode="json", exclude={"out", "corpora"}),
        "start": origin.label if origin else None,
        "corpora": sorted({provenance.corpus for text in texts.values() for provenance in text.provenance}),
        "tokens_seen": job.steps * job.tokens,
        "loss": round(loss, 4),
        "versions": VERSIONS,
    }
    if (languages := _languages(job, texts, origin)) is not None:
        card["languages"] = languages
    (folder / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def _languages(job: PretrainJob, texts: Mapping[str, RawText], origin: EncoderFiles | None) -> list[str] | None:
    """What the encoder below its head was pretrained on; None where that of its start is not known."""
    if origin is None:
        return sorted(texts)
    before = origin.languages or pretrained_on(origin.name)
    if before is None:
        return None
    return sorted({*before, *(texts if job.train == "all" else ())})
