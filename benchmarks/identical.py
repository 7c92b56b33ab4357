"""How many sentences stay word for word the same when the arithmetic changes.

    python benchmarks/identical.py runs/cub2 --root ../shared/data/cub

Explains the test examples of a run that have sentences, greedily, in float32 and in bfloat16, with XLA and
without, with folded weights and one batch or one example at a time, and compares with float32 as it comes,
whatever type the run was trained in.
"""

from __future__ import annotations

import argparse
import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def in_type(model, policy: str):
    """Returns a copy of an `InterpNet` whose decoder multiplies in another type."""
    import keras

    from interpnet_tf import InterpNet

    config = json.loads(json.dumps(model.get_config()))
    for part in (config, config["decoder"]["config"]):
        part["dtype"] = keras.saving.serialize_keras_object(keras.DTypePolicy(policy))
    copy = InterpNet.from_config(config)
    copy.set_weights(model.get_weights())
    return copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", help="run folder")
    parser.add_argument("--root", help="folder of the data set, where it has moved")
    options = parser.parse_args()
    from interpnet_tf import keep_freed_memory, runs

    keep_freed_memory()
    config, model = runs.read(options.run)
    dataset = config.load("test", **({"root": options.root} if options.root else {})).explained()
    model, half = in_type(model, "float32"), in_type(model, "mixed_bfloat16")
    few = dataset.inputs[:256]  # so few that the weights are not folded
    ways = {
        "float32": lambda: model.explain(dataset),
        "float32, XLA": lambda: model.explain(dataset, jit_compile=True),
        "bfloat16": lambda: half.explain(dataset),
        "bfloat16, XLA": lambda: half.explain(dataset, jit_compile=True),
        "float32, not folded": lambda: model.explain(few),
        "float32, one by one": lambda: model.explain(few, batch_size=1),
        "float32, beam of 1": lambda: model.explain(dataset, sampler="beam", beams=1),
    }
    expected = None
    for name, explain in ways.items():
        begin = time.perf_counter()
        said = [explanation.text for explanation in explain()]
        seconds = time.perf_counter() - begin
        expected = expected or said
        same = sum(a == b for a, b in zip(said, expected, strict=False))
        print(
            f"{name:20} {same:5} of {len(said):5} identical ({100 * same / len(said):.1f} %), {seconds:.1f} s"
        )


if __name__ == "__main__":
    main()
