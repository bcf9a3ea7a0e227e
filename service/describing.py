"""What others' schemas want to know of a matrix.

Croissant: Akhtar et al. 2024, "Croissant: A Metadata Format for ML-Ready Datasets", version 1.0. Every Eval Ever:
EvalEval Coalition, schema 0.2.1.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import SCHEMA
from matrices.credit import Credit
from matrices.snapshot import Snapshot

_EEE = "0.2.1"
_TERMS = (
    *("citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet"),
    *("format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet"),
    *("references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField"),
    *("transform"),
)
"""Of Croissant, each under its own name."""
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}


def croissant(held: Snapshot, credit: Credit, address: str, sha256: str) -> dict[str, Any]:
    """The Parquet file at an address, of this digest, described; a licence for each corpus that was measured on."""
    name = credit.matrix
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"cells/{field.name}",
            "name": field.name,
            "dataType": _data_type(field.type),
            **({"repeated": True} if pa.types.is_list(field.type) else {}),
            "source": {"fileObject": {"@id": "parquet"}, "extract": {"column": field.name}},
        }
        for field in SCHEMA
    ]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": f"Scores of {credit.task} ({credit.metric}) of every source language on every target, "
        f"{credit.kind}, with encoder {credit.encoder}.",
        "version": f"{credit.version}.0.0",
        "citeAs": credit.citation,
        "license": [f"{one.corpus}: {one.licence}" for one in credit.corpora or ()] or "not stated",
        "url": address.partition("/download")[0],
        "datePublished": pc.max(held.kept[name].cells["created_at"]).as_py().date().isoformat(),
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "parquet",
                "name": f"{name}.parquet",
                "contentUrl": address,
                "encodingFormat": "application/x-parquet",
                "sha256": sha256,
            }
        ],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "cells", "name": "cells", "field": fields}],
    }


def every_eval_ever(credit: Credit, pairs: pa.Table, created: pa.ChunkedArray) -> dict[str, Any]:
    """The pairs of a matrix as the results of one model, its encoder."""
    newest = pc.max(created).as_py()
    developer, _, _ = credit.encoder.rpartition("/")
    return {
        "schema_version": _EEE,
        "evaluation_id": f"{credit.matrix}/{credit.encoder}/{newest.timestamp():.0f}",
        "evaluation_timestamp": newest.isoformat(),
        "retrieved_timestamp": f"{newest.timestamp():.0f}",
        "source_metadata": {
            "source_name": credit.imported_from or credit.matrix,
            "source_type": "documentation" if credit.imported_from else "evaluation_run",
            "source_organization_name": "not stated",
            "evaluator_relationship": "third_party",
            "additional_details": {"citation": credit.citation, "version": str(credit.version)},
        },
        "eval_library": {
            "name": "sprachbund",
            "version": credit.software.partition(" ")[2] or "unknown",
        },
        "model_info": {
            "name": credit.encoder,
            "id": credit.encoder,
            "developer": developer or "unknown",
            "additional_details": {
                "deployment_type": "unknown" if credit.imported_from else "self_deployed",
                "model_availability": "unknown",
            },
        },
        "evaluation_results": [_result(credit, row) for row in pairs.to_pylist()],
    }


def _result(credit: Credit, row: dict[str, Any]) -> dict[str, Any]:
    known = {name: row[name] for name in ("sd", "baseline", "delta") if row[name] is not None}
    uncertainty: dict[str, Any] = {}
    if row["low"] is not None:
        ends = {"lower": row["low"], "upper": row["high"], "confidence_level": 0.95}
        uncertainty["confidence_interval"] = ends
    if row["n_items"]:
        uncertainty["num_samples"] = row["n_items"]
    return {
        "evaluation_name": f"{credit.task}: {row['source']} to {row['target']}",
        "source_data": {
            "dataset_name": f"{credit.task} in {row['target_name']}",
            "source_type": "other",
            "additional_details": {
                "corpora": "; ".join(f"{one.corpus} ({one.licence})" for one in credit.corpora or ()) or "not stated"
            },
        },
        "metric_config": {
            "evaluation_description": f"{credit.metric}, a share; mean over {row['seeds']} seeds",
            "lower_is_better": False,
            "score_type": "continuous",
            "min_score": 0.0,
            "max_score": 1.0,
        },
        "score_details": {
            "score": row["mean"],
            "details": {
                **{name: str(row[name]) for name in ("source", "target", "composition", "selection", "seeds")},
                "kind": credit.kind,
                **{name: repr(value) for name, value in known.items()},
            },
            **({"uncertainty": uncertainty} if uncertainty else {}),
        },
    }


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return _data_type(kind.value_type)
    if pa.types.is_integer(kind):
        return "sc:Integer"
    if pa.types.is_floating(kind):
        return "sc:Float"
    return "sc:DateTime" if pa.types.is_timestamp(kind) else "sc:Text"
