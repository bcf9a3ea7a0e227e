"""Runs: killed anywhere and resumed they give the same numbers, bit by bit; what decides them is in their key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from workers.othello.board import playable
from workers.othello.job import Condition, Finetuning, Games, LaboratoryJob, ModelShape, Pretraining, Probing, Run
from workers.othello.laboratory import NUMBERS, RunFailedError, State, conduct
from workers.othello.numbers import SCHEMA
from workers.othello.run import languages_of, numbers_of, perform, pretrained_of


class KilledError(Exception):
    """Stands for the end of the process."""


def job(out: Path, **changed: Any) -> LaboratoryJob:
    settings: dict[str, Any] = {
        "conditions": {"mixed": Condition(types=("atomic", "compositional"), anchors=2, common=0.5)},
        "seeds": (0,),
        "games": Games(pretraining=500, finetuning=300, evaluation=4, probing=20),
        "model": ModelShape(layers=1, width=16, heads=2),
        "pretraining": Pretraining(steps=12, batch=8, checkpoint_every=5, warm_up=4),
        "finetuning": Finetuning(steps=4, batch=8, every=2),
        "probing": Probing(hidden=8, steps=5, batch=16),
        "workers": 1,
        **changed,
    }
    return LaboratoryJob(out=out, **settings)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """Weights and numbers of a run that nothing interrupts."""
    made = job(tmp_path_factory.mktemp("undisturbed"))
    run = made.runs()[0]
    perform(run, made.out)
    return pretrained_of(run, made.out).read_bytes(), numbers_of(run, made.out).read_bytes()


@pytest.mark.parametrize("step", [3, 5, 7, 10, 12, 14])
def test_a_run_that_is_killed_and_resumed_gives_the_same_numbers_bit_by_bit(
    step: int, tmp_path: Path, undisturbed: tuple[bytes, bytes]
) -> None:
    made = job(tmp_path)
    run = made.runs()[0]

    def killed(done: int, _: int) -> None:
        if done == step:
            raise KilledError

    with pytest.raises(KilledError):
        perform(run, tmp_path, tick=killed)
    ticks: list[int] = []
    perform(run, tmp_path, tick=lambda done, _: ticks.append(done))
    assert (pretrained_of(run, tmp_path).read_bytes(), numbers_of(run, tmp_path).read_bytes()) == undisturbed
    assert ticks[0] == {3: 1, 5: 6, 7: 6, 10: 11, 12: 13, 14: 13}[step]
    assert not list((tmp_path / "checkpoints").iterdir())


def test_a_finished_run_is_read_and_not_done_again(tmp_path: Path) -> None:
    made = job(tmp_path)
    run = made.runs()[0]
    first = perform(run, tmp_path)

    def never(*_: int) -> None:
        pytest.fail("trained again")

    assert perform(run, tmp_path, tick=never).equals(first)


def test_the_key_is_of_what_decides_the_numbers(tmp_path: Path) -> None:
    run = job(tmp_path).runs()[0]
    seldom = run.pretraining.model_copy(update={"checkpoint_every": 7})
    same = run.model_copy(update={"name": "otherwise", "pretraining": seldom})
    assert same.key == run.key
    changes: dict[str, Any] = {"seed": 1, "opening": 2, "finetuning": Finetuning(steps=5), "condition": Condition()}
    assert len({run.key, *(run.model_copy(update={name: value}).key for name, value in changes.items())}) == 5


def test_a_seed_draws_the_anchors_that_a_condition_counts(tmp_path: Path) -> None:
    made = job(tmp_path, conditions={"four": Condition(anchors=4)}, seeds=tuple(range(6)))

    def anchors(run: Run) -> frozenset[int]:
        moves = languages_of(run).moves
        return frozenset(square for square in playable(4) if moves[0, square, 0] == moves[1, square, 0])

    drawn = [anchors(run) for run in made.runs()]
    assert {len(one) for one in drawn} == {4}
    assert len(set(drawn)) > 1


def test_anchors_are_those_a_condition_names_among_the_languages_it_names(tmp_path: Path) -> None:
    condition = Condition(types=("atomic",) * 3, anchors=("b1", "a1"), among=("A", "C"))
    moves = languages_of(job(tmp_path, conditions={"named": condition}).runs()[0]).moves[:, :, 0]
    assert [square for square in playable(4) if moves[0, square] == moves[2, square]] == [0, 1]
    assert not any(moves[0, square] == moves[1, square] for square in playable(4))


def test_a_job_gathers_the_numbers_of_its_runs_under_its_own_names(tmp_path: Path) -> None:
    conditions = {"naive": Condition(), "unified": Condition(output="unified")}
    told: list[State] = []
    table = conduct(job(tmp_path, conditions=conditions, seeds=(0, 1)), watch=told.append)
    frame = table.to_pandas()
    assert set(zip(frame["condition"], frame["seed"], strict=True)) == {
        (name, seed) for name in conditions for seed in (0, 1)
    }
    assert pq.read_table(tmp_path / NUMBERS, schema=SCHEMA).equals(table)
    assert (told[0].done, told[-1].done, told[-1].runs) == (0, 4, 4)
    renamed = conduct(job(tmp_path, conditions={"plain": Condition()}, seeds=(0, 1)))
    assert set(renamed["condition"].to_pylist()) == {"plain"}


def test_shares_of_verdicts_add_up_to_one(tmp_path: Path) -> None:
    frame = perform(job(tmp_path).runs()[0], tmp_path).to_pandas()
    moves = frame[frame["step"].notna()]
    sums = moves.groupby(["games", "target", "step"])["value"].sum()
    assert len(sums) == 2 * 2 * 3
    assert sums.to_numpy() == pytest.approx([1.0] * len(sums), abs=1e-6)


def test_runs_on_ray_give_the_numbers_of_runs_in_this_process(tmp_path: Path) -> None:
    conditions = {"naive": Condition(), "unified": Condition(output="unified")}
    here = conduct(job(tmp_path / "here", conditions=conditions))
    there = conduct(job(tmp_path / "there", conditions=conditions, workers=2))
    assert there.equals(here)


def test_a_run_that_fails_on_ray_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    # More distinct games to probe on than a 4 x 4 board has.
    games = Games(pretraining=500, finetuning=300, evaluation=4, probing=9000)
    bad = job(tmp_path, games=games, seeds=(0, 1), workers=2)
    with pytest.raises(RunFailedError, match=r"2 of 2 runs failed, first mixed, seed [01]: .*9000 different games"):
        conduct(bad)
