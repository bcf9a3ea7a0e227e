"""How a matrix is filled today with `adapters` and `transformers` alone: what `benchmarks/fill.py` measures against.

Written as the libraries' own examples do it: `AdapterTrainer`, `DataCollatorForLanguageModeling` over fixed blocks,
`DataCollatorForTokenClassification` over first pieces, ``Stack(language, task)``, `predict` for every cell. One unit of
work a process (`library.py WORK.json UNIT FOLDER`), or all in one that keeps both models (`library.py WORK.json all
FOLDER`).
"""

from __future__ import annotations

import json
import sys
import time
from itertools import chain
from pathlib import Path
from typing import Any

import adapters
import numpy as np
import transformers
from adapters import AdapterTrainer, AutoAdapterModel
from adapters.composition import Stack

transformers.utils.logging.set_verbosity_error()

Work = dict[str, Any]
"""Encoder folder, recipes, texts, train and test items, and the units to do: what `fill.py` writes for both ways."""


class Session:
    """The models of one process, opened when first wanted."""

    def __init__(self, work: Work, folder: Path) -> None:
        self.work, self.folder = work, folder
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(work["encoder"])
        self._language_model: Any = None
        self._tagger: Any = None

    def do(self, unit: Work) -> None:
        """Train one adapter, or score one cell and write its score down."""
        if unit["what"] == "language":
            self.train_language(unit["language"])
        elif unit["what"] == "task":
            self.train_task(unit["source"], unit["seed"])
        else:
            score = self.score(unit["source"], unit["target"], unit["seed"])
            name = f"{unit['source']}-{unit['target']}-{unit['seed']}"
            (self.folder / "scores" / f"{name}.json").write_text(json.dumps(score), encoding="utf-8")

    def train_language(self, language: str) -> None:
        """Masked-language modelling over blocks of the language's text."""
        recipe, model = self.work["language_adapter"], self._open_language_model()
        transformers.set_seed(recipe["seed"])
        config = adapters.SeqBnInvConfig(
            reduction_factor=recipe["reduction"], inv_adapter_reduction_factor=recipe["reduction"]
        )
        model.add_adapter(language, config=config)
        model.train_adapter(language)
        arguments = self._arguments(
            max_steps=recipe["steps"],
            per_device_train_batch_size=recipe["tokens"] // recipe["length"],
            learning_rate=recipe["learning_rate"],
            seed=recipe["seed"],
        )
        collator = transformers.DataCollatorForLanguageModeling(self.tokenizer, mlm_probability=recipe["masked"])
        blocks = self._blocks(self.work["texts"][language], recipe["length"])
        AdapterTrainer(model=model, args=arguments, train_dataset=blocks, data_collator=collator).train()
        self._save(model, language, "languages", with_head=False)
        model.delete_adapter(language)

    def train_task(self, source: str, seed: int) -> None:
        """A tagging head and adapter over the frozen adapter of the source language."""
        recipe, model, name = self.work["task_adapter"], self._open_tagger(), f"task-{source}-{seed}"
        below = self._load_language(model, source)
        transformers.set_seed(seed)
        upper = {"reduction_factor": recipe["reduction"], "leave_out": list(range(recipe["leave_out"]))}
        model.add_adapter(name, config=adapters.SeqBnConfig(**upper))
        labels = self.work["labels"]
        model.add_tagging_head(name, num_labels=len(labels), id2label=dict(enumerate(labels)))
        model.train_adapter(name)
        model.active_adapters = Stack(*below, name)
        arguments = self._arguments(
            num_train_epochs=recipe["epochs"],
            per_device_train_batch_size=recipe["batch"],
            learning_rate=recipe["learning_rate"],
            seed=seed,
        )
        AdapterTrainer(
            model=model,
            args=arguments,
            train_dataset=self._tagged(self.work["train"][source]),
            data_collator=transformers.DataCollatorForTokenClassification(self.tokenizer),
        ).train()
        self._save(model, name, "tasks", with_head=True)

    def score(self, source: str, target: str, seed: int) -> float:
        """Share of words tagged right on the target, its language adapter swapped in."""
        model, name = self._open_tagger(), f"task-{source}-{seed}"
        below = self._load_language(model, target)
        if name not in model.adapters_config.adapters:
            self._load(model, name, "tasks", with_head=True)
        model.active_adapters = Stack(*below, name)
        model.active_head = name
        trainer = AdapterTrainer(
            model=model,
            args=self._arguments(per_device_eval_batch_size=self.work["task_adapter"]["batch"]),
            data_collator=transformers.DataCollatorForTokenClassification(self.tokenizer),
        )
        predicted = trainer.predict(self._tagged(self.work["test"][target]))
        there = predicted.label_ids != -100
        return float((predicted.predictions.argmax(-1) == predicted.label_ids)[there].mean())

    def _open_language_model(self) -> Any:
        if self._language_model is None:
            self._language_model = transformers.AutoModelForMaskedLM.from_pretrained(self.work["encoder"])
            adapters.init(self._language_model)
        return self._language_model

    def _open_tagger(self) -> Any:
        if self._tagger is None:
            self._tagger = AutoAdapterModel.from_pretrained(self.work["encoder"])
        return self._tagger

    def _load_language(self, model: Any, language: str) -> list[str]:
        """What task adapters of a language stand on: its adapter, or nothing."""
        if self.work["language_adapter"] is None:
            return []
        if language not in model.adapters_config.adapters:
            self._load(model, language, "languages", with_head=False)
        return [language]

    def _save(self, model: Any, name: str, kind: str, *, with_head: bool) -> None:
        place = self.folder / kind / name
        place.mkdir(parents=True, exist_ok=True)
        model.save_adapter(str(place), name, with_head=with_head, use_safetensors=True)

    def _load(self, model: Any, name: str, kind: str, *, with_head: bool) -> None:
        place = self.folder / kind / name
        model.load_adapter(str(place), load_as=name, with_head=with_head, use_safetensors=True)

    def _arguments(self, **more: Any) -> transformers.TrainingArguments:
        return transformers.TrainingArguments(
            output_dir=str(self.folder / "trainer"),
            use_cpu=True,
            bf16=self.work["precision"] == "bf16",
            warmup_ratio=0.06,
            weight_decay=0.01,
            max_grad_norm=1.0,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            dataloader_pin_memory=False,
            **more,
        )

    def _blocks(self, sentences: list[str], length: int) -> list[dict[str, list[int]]]:
        ids = list(chain.from_iterable(self.tokenizer(sentences, add_special_tokens=True)["input_ids"]))
        return [{"input_ids": ids[at : at + length]} for at in range(0, len(ids) - length + 1, length)]

    def _tagged(self, items: list[Work]) -> list[dict[str, list[int]]]:
        number = {label: index for index, label in enumerate(self.work["labels"])}
        encoded = self.tokenizer(
            [item["tokens"] for item in items], is_split_into_words=True, truncation=True, max_length=256
        )
        rows = []
        for index, item in enumerate(items):
            words = encoded.word_ids(index)
            first = np.array(
                [word is not None and word != before for before, word in zip([None, *words[:-1]], words, strict=True)]
            )
            labels = [number[item["tags"][word]] if new else -100 for word, new in zip(words, first, strict=True)]
            rows.append({"input_ids": encoded["input_ids"][index], "labels": labels})
        return rows


def main() -> None:
    """Does all units, or the one of that number, and writes down the seconds of each."""
    path, which = Path(sys.argv[1]), sys.argv[2]
    work = json.loads(path.read_text(encoding="utf-8"))
    folder = Path(sys.argv[3])
    (folder / "scores").mkdir(parents=True, exist_ok=True)
    session = Session(work, folder)
    seconds: dict[str, list[float]] = {}
    for unit in work["units"] if which == "all" else [work["units"][int(which)]]:
        start = time.perf_counter()
        session.do(unit)
        seconds.setdefault(unit["what"], []).append(time.perf_counter() - start)
    (folder / "seconds.json").write_text(json.dumps(seconds), encoding="utf-8")


if __name__ == "__main__":
    main()
