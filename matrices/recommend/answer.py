"""The answer to "which language should I transfer from?": what the service, the command line and the page all show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

from matrices.arrays import Interval
from matrices.measures.interference import Label
from matrices.reading import Provenance
from matrices.shots import Shots

Method = Literal["joint_item_bootstrap", "normal_approximation", "as_published", "items_unknown", "prediction"]
"""How intervals take items into account: outcomes of items at hand; an accuracy over so many items whose outcomes were
not kept (binomial); standard errors that a published table states; nothing known of the items, so that no interval says
anything; or nothing measured."""
Action = Literal["recommend_one", "any_of", "measure_first", "no_evidence"]


@dataclass(frozen=True, kw_only=True)
class Named:
    """A language by its ISO 639-3 code and its English name."""

    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a source changes against the baseline on the same items, as the measure `interference` says."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    difference: float
    """Mean score with the source less the baseline's."""
    interval: Interval
    """95% interval of the difference, paired by item and seed."""
    verdict: Label
    """`helps` or `harms` where the interval excludes 0 and `q` is at most 0.05, else `neutral` where it lies within
    0.01 of 0, else `undecided`."""
    q: float | None
    """False discovery rate among the target's sources at which this is a discovery; null without outcomes of items,
    where the interval alone decides."""
    of_this_run: bool
    """Whether all this holds for the training run that was measured alone: the matrix does not tell what another run of
    the language adapter, or another seed, would have given."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A score on the target: a share in [0, 1], measured or predicted."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    score: float
    """Mean over seeds of a measured score, the score to expect of a predicted one."""
    sd: float | None
    """Standard deviation over seeds; null of one seed."""
    seeds: int
    """How many seeds were measured: 0 of a prediction."""
    n_items: int
    """How many items of the target each seed was scored on: 0 of a prediction, and where it is not known."""
    interval: Interval
    """Measured: of the mean score, over items, and over seeds where the matrix has several; 0 to 1 where nothing is
    known of the items. Predicted: of the score."""
    measured: bool
    """Whether this score was measured; else it was predicted from other measurements."""
    level: float
    """Confidence of `interval`: 0.95 of a measured score, 0.9 of a predicted one."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A measured target that a prediction rests on."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    target: str
    """ISO 639-3."""
    name: str
    """English name."""
    weight: float
    """Its share of what the prediction rests on, in [0, 1]."""
    score: float | None
    """What the source scored on it; null where that was not measured."""


@dataclass(frozen=True, kw_only=True)
class FeatureWeight:
    """A feature of languages or of pairs, and how much predictions of this matrix make of it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    feature: str
    weight: float
    """Its share of all features, in [0, 1]."""


FeatureKind = Literal["genealogy", "geography", "syntax", "phonology", "inventory", "script", "corpora", "pretraining"]
"""What can be known of a pair of languages without measuring it. ``corpora``: overlaps and sizes; ``pretraining``:
which languages the encoder was pretrained on."""


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """Which kinds of features were known of a pair of languages, and which were missing, so that nothing rests on them.

    Together all nine, always in one order.
    """

    known: tuple[FeatureKind, ...]
    missing: tuple[FeatureKind, ...]


@dataclass(frozen=True, kw_only=True)
class RankedSource(Score):
    """A language to transfer from, with its place among all that were measured on the target or predicted."""

    rank: int
    """1 is the highest expected score."""
    expected: float
    """The score to expect. Of a measured source beside predicted ones: its score drawn towards what is predicted of it,
    as far as the noise of seeds and items, or of the table, warrants; else `score`."""
    source: str
    """ISO 639-3."""
    name: str
    """English name."""
    tied_with_best: bool | None
    """Whether no source is better beyond doubt, all pairs compared on the same items at once with 95% confidence; null
    where that cannot be told, without outcomes of items, or of one seed. Where any source is predicted: whether it is
    on the shortlist."""
    average_z: float | None
    """Its mean z-score over the other targets of the matrix; null where it was measured on few."""
    effect: Effect | None
    """Whether it helps or harms against the baseline; null of a prediction, and where there is no baseline."""
    probability_best: float | None
    """How probable it is that no other ranked source is better; null where too little is known to say, as of scores
    without outcomes of items, or of one seed."""
    rests_on: tuple[Evidence, ...]
    """Of a predicted score, the measured targets it rests on most; empty of a measured one."""
    knowledge: Knowledge | None
    """What was known of the pair that a score is predicted of; null of a measured one."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a recommendation is worth little without: the easy choices, and what no transfer at all gives."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    english: RankedSource | None
    """English as the source, measured or predicted; null where it is the target, or neither."""
    best_average: RankedSource | None
    """The source with the highest mean z-score over the other targets."""
    in_language: Score | None
    """The target itself as the source."""
    baseline: Score | None
    """zero_shot: the constant answer. interference: the same task adapter with nothing added."""
    nearest_family: RankedSource | None
    """Of the sources of the target's genus, else of its family, the one with the highest mean z-score; null where no
    source is related."""


@dataclass(frozen=True, kw_only=True)
class Considered:
    """A language that is no source of the matrix, and may be a better one."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    source: str
    """ISO 639-3."""
    name: str
    """English name."""
    score: float
    """The score to expect of it."""
    interval: Interval
    """90% interval of the score."""
    same_genus: bool
    """Whether it is of the target's genus; else of its family."""


@dataclass(frozen=True, kw_only=True)
class SourceSet:
    """Several sources together: what is expected of them on the target, or what was measured of them."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    sources: tuple[str, ...]
    """ISO 639-3, the most probable to be the best first."""
    score: float | None
    """The score to expect if they do as well together as the best of them does alone; null of a set that was only
    measured."""
    gain: float | None
    """That less the score to expect of the best single source."""
    shares: tuple[float, ...]
    """The part of a budget of training items that each should have, in the order of `sources`."""
    composition: str | None
    """How they were put together where they were measured: `multi` or `fuse`."""
    measured: float | None
    """What they scored together on the target; null where that was not measured."""
    measured_gain: float | None
    """That less the best score of a single source measured on the target."""


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """Another matrix of the store that has more for the target: a score on it, or a nearer relative as a source."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    matrix: str
    kind: str
    task: str
    encoder: str
    source: str
    """ISO 639-3: its best source for the target, or of its nearest relatives the one that does best elsewhere."""
    name: str
    """English name."""
    measured: bool
    """Whether the target was measured there."""
    score: float | None
    """What the source scored on the target there; null where that was not measured."""


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """How many sources help, harm, change nothing of account, or cannot be told."""

    helps: int
    harms: int
    neutral: int
    undecided: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What to do, as data; `advice` says it in words."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    action: Action
    """`recommend_one`: take the first of `sources`. `any_of`: they cannot be told apart, take any. `measure_first`: too
    many might be the best, or none is related; measure these, the most probable first. `no_evidence`: none was shown
    to help."""
    sources: tuple[str, ...]
    """ISO 639-3, the best first; empty where there is no evidence for any."""
    confidence: float | None
    """How probable it is that the best of all ranked sources is among `sources`; null where too little is known."""
    expected_regret: float | None
    """What taking the first ranked source is expected to cost against the best of all, as a share of the best score;
    null where nothing is predicted."""
    of_this_run: bool
    """Whether it holds for the training run that was measured alone; see `effect`."""


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """Sources for one task and target, best first, and what that rests on."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)

    matrix: str
    version: int
    kind: str
    task: str
    metric: str
    encoder: str
    composition: str
    selection: str
    target: Named
    pretrained: bool | None
    """Whether the encoder was pretrained on the target; null where that is not known."""
    k: int
    """How many sources were asked for."""
    ranked: int
    """How many sources there are in this ranking: measured on the target or predicted, itself not counted."""
    sources: tuple[RankedSource, ...]
    """The `k` best."""
    tied: tuple[str, ...]
    """Every source that is known to be tied with the best, the best first, whether or not among the `k`."""
    ties_known: bool
    """Whether it can be told of every source if it is tied with the best."""
    comparison: Comparison
    method: Method
    """How the intervals take items into account."""
    failed: int
    """Runs on this target that failed and are left out."""
    other_items: int
    """Runs on this target that are left out as they are over other items than most: scores on those cannot be held
    against each other."""
    basis: str
    """What the answer rests on, in words."""
    measured_on: Provenance | None
    """What the matrix in the box was measured on; null for a store of one's own."""
    predicted: int
    """How many of the ranked sources are predicted, not measured."""
    shortlist: tuple[str, ...]
    """The fewest sources that hold the best one with 90% probability, the most probable first; empty where too little
    is known to say."""
    asked: tuple[RankedSource, ...]
    """The sources asked about, wherever they rank."""
    features: tuple[FeatureWeight, ...]
    """What predictions make of languages and pairs, the weightiest first; empty where nothing is predicted."""
    knowledge: Knowledge | None
    """What was known of any of the predicted pairs, and what of none; null where nothing is predicted."""
    unrelated: bool | None
    """Whether none of the ranked sources is related to the target; null where its family is not known."""
    considered: tuple[Considered, ...]
    """Languages that nobody measured as a source: those expected to do better than any that was, or, where none of the
    ranked is related, the relatives expected to do best. At most three."""
    elsewhere: tuple[Elsewhere, ...]
    """Other matrices of the store that have more for a target this one was not measured on. At most three."""
    sets: tuple[SourceSet, ...]
    """The best two and three sources together, and sets that were measured; empty where nothing is predicted or
    measured of any."""
    one_is_enough: bool | None
    """Whether no set is expected to gain a hundredth of its score over the best single source; null where nothing is
    predicted."""
    databases: Mapping[str, str]
    """The databases of languages behind the answer, and their versions."""
    imported_from: str | None
    """Where the scores were published, with file and digest, of an imported matrix; null of a measured one."""
    verdicts: Verdicts | None
    """Of the measured sources, how many help and harm; null where there is no baseline."""
    verdict: Verdict
    """What to do."""
    advice: str
    """The same in words."""
    shots: Shots | None = None
    """How many labelled items of the target beat its best source without any; null where that was not measured."""


def to_json(recommendation: Recommendation) -> bytes:
    """The answer as the JSON object that the service gives and `recommend --json` prints."""
    return _adapter().dump_json(recommendation)


@cache
def _adapter() -> TypeAdapter[Recommendation]:
    return TypeAdapter(Recommendation)
