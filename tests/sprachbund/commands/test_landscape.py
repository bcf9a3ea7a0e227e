"""`sprachbund landscape`: a small job from its file to its tables, numbers and pictures."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pyarrow.parquet as pq
from typer.testing import CliRunner

from sprachbund.cli import app

JOB = """\
out: out
encoder: {{name: {encoder}}}
corpora: {corpora}
task: board
pairs: {{qaa: [qab]}}
seeds: [0, 1]
alphas: [-0.5, 0, 0.5, 1]
surfaces:
  - {{source: qaa, target: qab, along: [0, 1], across: [0, 1]}}
  - {{source: qaa, target: qab, axis: qac, along: [0, 1], across: [0, 1]}}
task_adapter: {{epochs: 1, reduction: 4}}
precision: fp32
"""


def test_it_tells_of_every_pair_and_draws(tmp_path: Path, tiny_corpora: Path, tiny_encoder_folder: Path) -> None:
    job = tmp_path / "job.yaml"
    job.write_text(JOB.format(encoder=tiny_encoder_folder, corpora=tiny_corpora), encoding="utf-8")
    first = CliRunner().invoke(app, ["landscape", str(job)])
    assert first.exit_code == 0, first.output
    assert "qaa qab" in first.stdout
    assert "2 seeds, means with 95% intervals" in first.stdout
    again = CliRunner().invoke(app, ["landscape", str(job), "--json"])
    answer = json.loads(again.stdout)
    curves = {(one["toward"], one["language"], one["measure"]): one for one in answer["curves"]}
    numbers = pq.read_table(answer["files"][0]).to_pandas()
    chosen = (numbers["point"] == "line") & (numbers["toward"] == "qab") & (numbers["language"] == "qab")
    at_1 = numbers[chosen & (numbers["measure"] == "loss") & (numbers["alpha"] == 1)]
    assert curves["qab", "qab", "loss"]["at_1"]["mean"] == at_1["value"].mean()
    assert curves["qab", "qab", "loss"]["slope"]["seeds"] == 2
    pictures = [Path(path) for path in answer["files"][1:]]
    assert [path.name for path in pictures] == [
        "bottleneck-error.svg",
        "bottleneck-loss.svg",
        "bottleneck-surface-qaa-qab-random.svg",
        "bottleneck-surface-qaa-qab-qac.svg",
    ]
    for path in pictures:
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
    drawn = pictures[1].read_text(encoding="utf-8")
    assert "2 seeds" in drawn
