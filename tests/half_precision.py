"""Skips tests that multiply in half precision where TensorFlow would crash.

TensorFlow asks the processor whether it has half precision, and not oneDNN. Where `ONEDNN_MAX_CPU_ISA` tells
oneDNN to do without what the processor has, a product of bfloat16 or float16 is a segmentation fault.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import pytest
import tensorflow as tf
from tensorflow.python.ops import gen_math_ops, gen_nn_ops

WITHOUT = ("SSE41", "AVX", "AVX2", "AVX2_VNNI")
PRODUCTS = {
    gen_math_ops: ("mat_mul", "batch_mat_mul", "batch_mat_mul_v2", "batch_mat_mul_v3"),
    gen_nn_ops: ("conv2d", "depthwise_conv2d_native"),
}


def skip_where_it_crashes() -> None:
    """Makes products of half precision skip the test that asks for them, if oneDNN is held back."""
    if os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in WITHOUT:
        for module, names in PRODUCTS.items():
            for name in names:
                setattr(module, name, _skipping(getattr(module, name)))


def _skipping(product: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(product)
    def multiply(*factors: Any, **options: Any) -> Any:
        for factor in (*factors, *options.values()):
            if tf.is_tensor(factor) and factor.dtype in (tf.bfloat16, tf.float16):
                pytest.skip("oneDNN is told to do without half precision, and crashes")
        return product(*factors, **options)

    return multiply
