from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from matrices.published.catalogue import FetchError, NotCataloguedError, catalogue, catalogued_matrix, fetch
from matrices.published.reading import read_published

CONTENTS = {
    "xpos-pos": ",task_type,lang_train,lang_pred,model_id,score\n0,tc,en,nl,xlm-roberta-base,89.8\n1,tc,en,en,x,96.3\n",
    "langrank-el": "Target lang,Transfer lang,Accuracy,Rank,GENETIC\nben,amh,0.28,12,1.0\nben,ara,0.11,42,1.0\n",
    "nn-rank-ner-xlmr": ",acc,f1,eval_file,train_file\n0,88.3,69.2,it_test,mk_train\n1,58.2,30.1,fo_test,mk_train",
    "langrankplus-xnli-xlmr": "task_lang,transfer_lang,f1_score,new_gen\neng,ara,0.82,22.0\ntur,swa,0.72,22.7\n",
    "langrank-pos-xlmr": "train/target,eng,nld,deu\neng,93.0,87.9,88.8\nnld,88.0,93.9,87.0\n",
}
"""A few lines of each kind of file in the catalogue, laid out as the files there are."""


def mirrored(root: Path, name: str) -> Path:
    path = root / catalogued_matrix(name).place
    path.parent.mkdir(parents=True)
    path.write_text(CONTENTS[name])
    return root


@pytest.mark.parametrize("name", CONTENTS)
def test_a_catalogued_matrix_is_read_from_a_mirror_as_the_catalogue_says(name: str, tmp_path: Path) -> None:
    known = catalogued_matrix(name)
    published = read_published(fetch(known, tmp_path, mirrored(tmp_path / "mirror", name)), known.columns)

    assert published.lines
    assert all(line.score is not None for line in published.lines)
    assert all((line.score or 0) <= (100 if known.percent else 1) for line in published.lines)


def test_every_entry_is_pinned_and_says_where_it_is_from() -> None:
    assert len(catalogue()) > 30
    for known in catalogue().values():
        assert re.fullmatch(r"[0-9a-f]{40}", known.commit)
        assert known.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", known.sha256)
        assert known.address == f"https://raw.githubusercontent.com/{known.repository}/{known.commit}/{known.path}"
        assert known.citation
        assert re.fullmatch(r"[a-z0-9-]+", known.name)


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(NotCataloguedError, match=r"there is no 'xpos' in the catalogue.*nearest of .*xpos-pos"):
        catalogued_matrix("xpos")


def test_what_is_not_at_its_address_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"could not be fetched from .*; fetch it by other means .* --mirror"):
        fetch(catalogued_matrix("xpos-pos"), tmp_path, tmp_path / "nowhere")


def test_what_is_not_what_was_catalogued_is_refused(tmp_path: Path) -> None:
    known = replace(catalogued_matrix("xpos-pos"), sha256="0" * 64)

    with pytest.raises(FetchError, match=r"has SHA-256 .*, not 0{64} as catalogued"):
        fetch(known, tmp_path, mirrored(tmp_path / "mirror", "xpos-pos"))
    assert not list(tmp_path.glob("*.csv"))
