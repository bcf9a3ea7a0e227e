"""The types matrix products are computed in, and how fast this machine computes them.

Apart from `library`, so that planning a job waits for torch alone and not for the libraries that open encoders.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import torch

Precision = Literal["fp32", "bf16"]


def best_precision() -> Precision:
    """bf16 where this machine multiplies it natively, else fp32."""
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported() else "fp32"


def product_rate(precision: Precision, device: Literal["cpu", "cuda"] = "cpu") -> float:
    """Operations a second of a matrix product on all cores, or on a GPU, measured now (a tenth of a second)."""
    size = 1024 if device == "cpu" else 8192
    wait: Callable[[], object] = torch.cuda.synchronize if device == "cuda" else lambda: None
    left = torch.ones(size, size, dtype=torch.bfloat16 if precision == "bf16" else torch.float32, device=device)
    left @ left
    wait()
    start, rounds = time.monotonic(), 0
    while time.monotonic() - start < 0.1:
        left @ left
        wait()
        rounds += 1
    return 2.0 * size**3 * rounds / (time.monotonic() - start)
