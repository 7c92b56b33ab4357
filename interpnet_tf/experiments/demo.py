"""`make demo`: the paper's comparison in small, on the embedded data, and both exports of its best network.

The networks share one set of convolutional layers, as the paper's share one feature vector x; what
differs is the dense layers behind it and what the decoder sees of them.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from interpnet_tf.support import memory, quiet

ROWS = ("captioning", "interpnet-0", "interpnet-1", "interpnet-2")
FACTS = ("attribute_precision", "distinguishing_rate", "varying_precision")
PHONE_CLIENT = Path(__file__).parents[2] / "export" / "phone" / "interpnet_lite.py"
COLUMNS = ("accuracy", "meteor", "bleu_4", "cider_d", *FACTS)


def main() -> None:
    """Trains four networks, prints their table, draws eight explained birds, and runs both exports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder of runs and pictures")
    options = parser.parse_args()
    began = time.monotonic()
    print("demo: this takes five to seven minutes on two cores", file=sys.stderr)
    memory.keep_freed_memory()
    quiet.import_tensorflow()
    table = run(options.out)
    from interpnet_tf import metrics

    print("\nsketchbirds, test pictures, scores x 100, 10 references")
    print(metrics.format_table(table, COLUMNS))
    print("\none bird, from the model, the SavedModel and the LiteRT file")
    print(*export_and_run(options.out), sep="\n")
    seconds = time.monotonic() - began
    print(f"\neight explained birds: {options.out / 'explanations.png'} ({seconds:.0f} s in all)")


def run(out: Path) -> dict[str, dict[str, float | None]]:
    """Trains or reads each row's network and evaluates it.

    Args:
        out: folder in which each row has its run folder.

    Returns:
        The scores of each row by `COLUMNS`.
    """
    from interpnet_tf import runs
    from interpnet_tf.analysis.pictures import save_figure
    from interpnet_tf.data import sketchbirds
    from interpnet_tf.runs import evaluation
    from interpnet_tf.support.atomic import write_atomically
    from interpnet_tf.support.progress import EpochLines

    table: dict[str, dict[str, float | None]] = {}
    backbone = out / "interpnet-2"
    train, valid, test = (sketchbirds.load(split) for split in ("train", "validation", "test"))
    # Three of the ten training sentences a picture: a third of the time for little of the quality.
    train = dataclasses.replace(train, explanations=[sentences[:3] for sentences in train.explanations])
    for row in sorted(ROWS, reverse=True):
        folder = out / row
        config = runs.RunConfig(
            data="sketchbirds",
            variant=row,
            units=192,
            dropout=0.1,
            batch_size=64,
            learning_rate=4e-3,
            epochs=8,
            cool_down=3,
            classifier_epochs=14,
            minimum_count=1,
            backbone=None if folder == backbone else str(backbone),
        )
        if not (folder / "model.keras").exists():
            callbacks = {
                "classifier": [EpochLines(f"{row} classifier")],
                "explainer": [EpochLines(f"{row} explainer")],
            }
            runs.train(config, folder, resume=True, callbacks=callbacks, splits=(train, valid))
        _, model = runs.read(folder)
        result = evaluation.evaluate(model, test, train.explanations, (10,), row, folder == backbone)
        write_atomically(folder / "metrics-test.json", json.dumps(result, indent=1) + "\n")
        for name, columns in result["rows"].items():
            table[name] = {**columns["10"], **result["facts"][name]}
        table[row]["accuracy"] = result["accuracy"]
        if folder == backbone:
            shown = test.subset(range(0, len(test), len(test) // 8)[:8])
            # The words of the beam that repeat no three of them: greedily, some birds have two white tails.
            explanations = model.explain(shown, sampler="beam", no_repeat_ngram=3)
            names = [test.class_names[label] for label in shown.labels]
            save_figure(out / "explanations.png", shown.inputs, explanations, names)
            print(*explanations, sep="\n")
    return {name: table[name] for name in (*ROWS, *(name for name in table if name not in ROWS))}


def export_and_run(out: Path) -> list[str]:
    """Exports interpnet-2 for servers and for phones, and explains one picture with each export.

    Args:
        out: folder of the runs, in which the exports are written.

    Returns:
        What the model, the SavedModel and the LiteRT file said.
    """
    import keras
    import tensorflow as tf

    from interpnet_tf import runs
    from interpnet_tf.data import sketchbirds

    _, model = runs.read(out / "interpnet-2")
    valid, bird = sketchbirds.load("validation").subset(range(48)), sketchbirds.load("test").inputs[:1]
    picture, servable, phone_file = out / "bird.png", out / "export" / "birds" / "1", out / "birds.tflite"
    keras.utils.save_img(picture, bird[0], scale=False)
    model.export(servable, overwrite=True)
    model.export(phone_file, format="litert", quantize="float16", samples=valid, overwrite=True)

    def said(outputs: dict[str, Any]) -> str:
        label, text = (outputs[name].numpy()[0].decode() for name in ("label", "explanation"))
        return f"{label} ({100 * float(outputs['probability'][0]):.1f} %): {text}"

    served = tf.saved_model.load(servable).signatures["serving_bytes"]
    client = [sys.executable, str(PHONE_CLIENT), str(phone_file), str(picture)]
    on_the_phone = subprocess.run(client, check=True, capture_output=True, text=True).stdout
    return [
        f"{'model.explain':15} {model.explain(bird)[0]}",
        f"{'SavedModel':15} {said(served(image_bytes=tf.constant([picture.read_bytes()])))}",
        f"{'LiteRT, 16 bits':15} {on_the_phone.split(': ', 1)[1].strip()}",
    ]


if __name__ == "__main__":
    main()
