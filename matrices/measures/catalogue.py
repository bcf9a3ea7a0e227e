"""What measures there are: their names, what their columns mean, and how each is computed from outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from matrices.likeness.similarity import similarities
from matrices.measures.additive import additive, summary
from matrices.measures.consistency import consistency_table
from matrices.measures.donors import donors
from matrices.measures.hat import hat_r_table
from matrices.measures.interference import MARGIN, RATE, interference, sure_pairs
from matrices.measures.mantel import correlations, languages_of
from matrices.measures.profile import ProfileSettings
from matrices.measures.ranks import ranks
from matrices.measures.ratios import ratios
from matrices.measures.splits import splits_table
from matrices.uncertainty.matrix_bootstrap import MatrixBootstrap
from matrices.uncertainty.resampling import RESAMPLES
from matrices.view import MatrixView


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureSettings:
    """What measures can be told; each takes what concerns it."""

    composition: str | None = None
    """How adapters were put together; None is ``stack``, then ``alone``, else the first by name."""
    selection: str | None = None
    """Which weights were evaluated; None is ``last``, else the first by name."""
    resamples: int = RESAMPLES
    unseen: tuple[str, ...] | None = None
    """Languages the encoder was not pretrained on, ISO 639-3; None leaves it to what is known of the encoder."""
    margin: float = MARGIN
    """A change whose interval lies within this of 0 is neutral."""
    rate: float = RATE
    """False discovery rate of the verdicts."""
    solved: float | None = None
    """The share of an item that must be right for it to be solved, on parallel items; None as each measure has it."""


DEFAULTS = MeasureSettings()

Compute = Callable[[MatrixView, MeasureSettings], pa.Table]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: its name, what it says in a line, what its columns mean, and how it is computed."""

    name: str
    title: str
    columns: Mapping[str, str]
    compute: Compute


def _interference(view: MatrixView, settings: MeasureSettings) -> pa.Table:
    return interference(
        view,
        resamples=settings.resamples,
        unseen=settings.unseen,
        margin=settings.margin,
        rate=settings.rate,
    )


def _pairs(view: MatrixView, settings: MeasureSettings) -> pa.Table:
    return sure_pairs(_interference(view, settings), settings.rate)


def _ranks(view: MatrixView, settings: MeasureSettings) -> pa.Table:
    return ranks(view, resamples=settings.resamples)


def _likeness(view: MatrixView, settings: MeasureSettings) -> pa.Table:
    codes = languages_of(view)
    return correlations(view, similarities(codes, codes))


def _hat_r(view: MatrixView, settings: MeasureSettings) -> pa.Table:
    return hat_r_table(view, recipe=ProfileSettings(solved=settings.solved), resamples=settings.resamples)


def _consistency(view: MatrixView, settings: MeasureSettings) -> pa.Table:
    solved = 1.0 if settings.solved is None else settings.solved
    return consistency_table(view, solved=solved, resamples=settings.resamples)


def _splits(view: MatrixView, settings: MeasureSettings) -> pa.Table:
    return splits_table(view)


def _bootstrapped(compute: Callable[[MatrixBootstrap], pa.Table]) -> Compute:
    return lambda view, settings: compute(MatrixBootstrap(view, resamples=settings.resamples))


_CHANGES = {
    "score": "mean over the seeds that have both the source's score and the baseline",
    "baseline": "the same task adapter with nothing added; in a zero_shot matrix the constant answer",
    "delta": "score less baseline, paired by item and seed",
    "low": "lower end of the 95% interval of delta, over items and seeds; high: its upper end",
    "relative": "delta / baseline, with relative_low and relative_high",
    "p_items": "paired permutation test over items, these seeds given",
    "p": "the larger of p_items and the test of the interval, which speaks of other seeds too",
    "q": "false discovery rate among the target's sources at which this is a discovery (Benjamini-Hochberg)",
    "q_matrix": "the same in the whole matrix",
    "band_low": "lower end of a 95% band for all cells at once (max-T); band_high: its upper end",
    "label": "helps, harms, neutral (within a point of 0) or undecided",
    "source_unseen": "the encoder was not pretrained on it; null where that is not said; target_unseen likewise",
}

MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            "interference",
            "What each source changes in each target's score, and how sure that is.",
            _CHANGES,
            _interference,
        ),
        Measure(
            "pairs",
            "The pairs that help beyond doubt in the whole matrix, and those that harm, the surest first.",
            _CHANGES,
            _pairs,
        ),
        Measure(
            "donors",
            "Which languages give and which take.",
            {
                "donor": "sum over targets of score / reference - 1; the target's own score or, in an interference "
                "matrix, the baseline; with donor_low and donor_high (95%)",
                "given_to": "targets in that sum",
                "recipient": "the same sum over sources, with recipient_low and recipient_high",
                "taken_from": "sources in that sum",
                "gap": "cross-lingual gap: the score on itself less the mean on the others; zero_shot only",
                "type": "gives and takes, gives, takes or neither, by the signs",
                "sure": "whether neither interval holds 0",
            },
            _bootstrapped(donors),
        ),
        Measure(
            "ratios",
            "Each score as a share of what other training gives.",
            {
                "to_source": "S(s, t) / S(s, s), normalised by row",
                "to_target": "S(s, t) / S(t, t), normalised by column",
                "above_constant": "(S(s, t) - c) / (S(t, t) - c), c the constant answer",
            },
            _bootstrapped(ratios),
        ),
        Measure(
            "summary",
            "The whole matrix in a few numbers.",
            {"value": "the statistic, with its 95% interval low to high", "means": "what it says"},
            _bootstrapped(summary),
        ),
        Measure(
            "additive",
            "Strong sources and easy targets: S = mu + alpha_s + beta_t + gamma_st.",
            {"role": "source (alpha) or target (beta)", "effect": "in units of the score, with low and high (95%)"},
            _bootstrapped(additive),
        ),
        Measure(
            "ranks",
            "Which places in each target's ranking are sure.",
            {
                "rank": "by mean score over seeds, with rank_low and rank_high, joint 95% bounds",
                "tied_with_best": "no source is better beyond doubt; null where one seed cannot tell",
                "behind": "the best score less this one, with its joint band",
            },
            _ranks,
        ),
        Measure(
            "likeness",
            "Whether like languages transfer better: Mantel tests.",
            {
                "pairs": "pairs with a score and this measure of likeness",
                "correlation": "Spearman's, of likeness and transfer within a target",
                "p": "two-sided, languages permuted",
            },
            _likeness,
        ),
        Measure(
            "hat_r",
            "Transfer adjusted for how hard items are to the source, on parallel items; a reconstruction.",
            {
                "hat_r": "0 at chance, 1 where the target is as good as the source on items of every hardness; with "
                "low and high (95%)",
                "bin_items": "items by how many seeds solve them in the source; tau and sigma by the same bins: "
                "success in the target, and of a further seed in the source",
                "extrapolated": "the share of the weight on bins without items",
                "refused": "why there is no number",
            },
            _hat_r,
        ),
        Measure(
            "consistency",
            "Whether translations of one item are answered alike.",
            {
                "conditional_transfer": "P(solved in the target | solved in the source)",
                "overlap": "items solved in both / in either",
                "kappa": "Cohen's kappa of solved and not; all with _low and _high (95%)",
            },
            _consistency,
        ),
        Measure(
            "splits",
            "What choosing a source and scoring it on the same items flatters.",
            {
                "chosen": "the source that is first on most halves of the items, chosen_share how often",
                "naive_score": "score of the first source on the half that chose it",
                "score": "its score on the other half",
                "regret_at_1": "the best score on the other half less the chosen source's",
            },
            _splits,
        ),
    )
}
