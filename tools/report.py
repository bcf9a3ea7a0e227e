"""What the measured matrices say: the tables and pictures of docs/results.md.

    .venv/bin/python tools/report.py runs/e5/store --out docs/results

Prints Markdown. Kinship and script: each off-diagonal score is standardised within its target (over sources); the
difference of the means of related and unrelated pairs is compared with 10,000 permutations of the sources' identities
(a Mantel test: cells that share a language are not independent).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean

import numpy as np

from matrices.grid import ScoreGrid, grid
from matrices.languages import genealogy, resolve
from matrices.plots import heat_map, save
from matrices.recommend import Question, Recommendation, Score, ask
from matrices.store import Store

PERMUTATIONS = 10_000

Related = Callable[[str, str], bool]


def main() -> None:
    """Print the tables and draw the pictures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("store")
    arguments.add_argument("--out", type=Path, help="folder for heat maps")
    given = arguments.parse_args()
    store = Store(given.store)
    for info in store.matrices():
        measured = grid(store.cells(info.matrix))
        seen = set(store.pretrained(measured.encoder) or ())
        print(f"\n## {info.task}, {info.kind}\n")
        if given.out is not None:
            given.out.mkdir(parents=True, exist_ok=True)
            save(heat_map(measured), given.out / f"{info.task}-{info.kind}.svg")
            print(f"![{info.task}, {info.kind}](results/{info.task}-{info.kind}.svg)\n")
        answers = [ask(store, Question(task=info.task, target=t, k=100, matrix=info.matrix)) for t in measured.targets]
        print(
            "\n".join(_zero_shot(measured, answers, seen) if info.kind == "zero_shot" else _interference(answers, seen))
        )


def _zero_shot(measured: ScoreGrid, answers: list[Recommendation], seen: set[str]) -> Iterator[str]:
    yield "| target | constant | in-language | best source | tied with it | English |"
    yield "|---|---|---|---|---|---|"
    for answer in answers:
        best, compared = answer.sources[0], answer.comparison
        tied = ", ".join(code for code in answer.tied if code != best.source) or "none"
        yield (
            f"| {_mark(answer.target.code, seen)} | {_share(compared.baseline)} | {_share(compared.in_language)} "
            f"| {best.source} {best.score:.3f} ± {_half(best.interval):.3f} | {tied} | {_share(compared.english)} |"
        )
    yield ""
    own = [(a.comparison.in_language, a.comparison.baseline, a.sources[0]) for a in answers if a.comparison.in_language]
    if own:
        means = [fmean(score.score for score in column if score) for column in zip(*own, strict=True)]
        yield (
            f"In-language {means[0]:.3f}, constant {means[1]:.3f}, best other source {means[2]:.3f} "
            f"(means over {len(own)} targets)."
        )
    yield from _english(answers)
    for name, related in (("family", _same_family), ("script", _same_script)):
        yield _mantel(measured, name, related)


def _english(answers: list[Recommendation]) -> Iterator[str]:
    ranks = {a.target.code: a.comparison.english for a in answers if a.comparison.english is not None}
    if ranks:
        wins = [code for code, english in ranks.items() if english.rank == 1]
        tied = [code for code, english in ranks.items() if english.rank > 1 and english.tied_with_best]
        lost = [code for code, english in ranks.items() if not english.tied_with_best]
        cost = fmean(a.sources[0].score - a.comparison.english.score for a in answers if a.comparison.english)
        yield (
            f"English is the best source of {len(wins)} of {len(ranks)} targets ({', '.join(wins) or 'none'}), "
            f"tied with the best on {len(tied)} more ({', '.join(tied) or 'none'}) and worse beyond doubt on "
            f"{len(lost)} ({', '.join(lost) or 'none'}); always choosing it costs {cost:.3f}."
        )


def _interference(answers: list[Recommendation], seen: set[str]) -> Iterator[str]:
    yield "| target | baseline | best language under it | helps | harms | neutral | undecided |"
    yield "|---|---|---|---|---|---|---|"
    for answer in answers:
        best = answer.sources[0]
        verdicts = Counter(source.effect.verdict for source in answer.sources if source.effect)
        change = f"{best.effect.difference:+.3f} ± {_half(best.effect.interval):.3f}" if best.effect else ""
        yield (
            f"| {_mark(answer.target.code, seen)} | {_share(answer.comparison.baseline)} | {best.source} {change} "
            f"| {verdicts['helps']} | {verdicts['harms']} | {verdicts['neutral']} | {verdicts['undecided']} |"
        )
    effects = [(a.target.code, s.source, s.effect) for a in answers for s in a.sources if s.effect is not None]
    verdicts = Counter(effect.verdict for _, _, effect in effects)
    yield ""
    yield (
        f"Of {len(effects)} cells {verdicts['helps']} help, {verdicts['harms']} harm, {verdicts['neutral']} neutral, "
        f"{verdicts['undecided']} undecided; mean change {fmean(effect.difference for *_, effect in effects):+.3f}."
    )
    for name, chosen in (("seen", True), ("unseen", False)):
        part = [effect.difference for target, _, effect in effects if (target in seen) == chosen]
        if part:
            yield f"Targets the encoder has {name}: mean change {fmean(part):+.3f} over {len(part)} cells."
    by_language = {code: fmean(e.difference for _, s, e in effects if s == code) for code in {s for _, s, _ in effects}}
    order = sorted(by_language, key=lambda code: -by_language[code])
    yield "Mean change by transfer language: " + ", ".join(f"{code} {by_language[code]:+.3f}" for code in order) + "."


def _mantel(measured: ScoreGrid, name: str, related: Related) -> str:
    """Mean standardised score of related pairs less that of others, with a permutation p."""
    sources, targets = list(measured.sources), list(measured.targets)
    scores = np.full((len(sources), len(targets)), np.nan)
    for (source, target), score in measured.scores.items():
        if source is not None and source != target:
            scores[sources.index(source), targets.index(target)] = score
    usable = np.isfinite(scores).sum(axis=0) >= 3
    scores = scores[:, usable]
    if scores.shape[1] < 3:
        return f"Shared {name}: too few sources to say."
    standard = (scores - np.nanmean(scores, axis=0)) / np.nanstd(scores, axis=0)
    kin = np.array([[related(s, t) for t, use in zip(targets, usable, strict=True) if use] for s in sources])

    def difference(pairs: np.ndarray) -> float:
        there = np.isfinite(standard)
        if not (pairs & there).any() or not (~pairs & there).any():
            return 0.0
        return float(standard[pairs & there].mean() - standard[~pairs & there].mean())

    observed, rng = difference(kin), np.random.default_rng(0)
    drawn = np.array([difference(kin[rng.permutation(len(sources))]) for _ in range(PERMUTATIONS)])
    p = (1 + int((drawn >= observed).sum())) / (1 + PERMUTATIONS)
    pairs = int((kin & np.isfinite(standard)).sum())
    return f"Shared {name}: {pairs} pairs stand {observed:+.2f} standard deviations above the others (p = {p:.4f})."


def _same_family(one: str, other: str) -> bool:
    first, second = genealogy(one), genealogy(other)
    return first is not None and second is not None and first.family == second.family


def _same_script(one: str, other: str) -> bool:
    first, second = genealogy(one), genealogy(other)
    return first is not None and second is not None and first.script == second.script


def _mark(code: str, seen: set[str]) -> str:
    return f"{resolve(code).name} ({code})" + ("" if code in seen else " *unseen*")


def _share(score: Score | None) -> str:
    return "" if score is None else f"{score.score:.3f}"


def _half(interval: tuple[float, float]) -> float:
    return (interval[1] - interval[0]) / 2


if __name__ == "__main__":
    main()
