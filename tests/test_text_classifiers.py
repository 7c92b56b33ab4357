"""Texts, ids and three inputs go the whole way: fit, explain, save, export, server, command line."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import c_api
import keras
import numpy as np
import pytest
from classifier_kinds import KINDS

from interpnet_tf import runs
from interpnet_tf.cli import main
from interpnet_tf.serving import json_tensors
from interpnet_tf.serving.servable import Servable

layers = keras.layers
TEXTS = ["a great film", "a dull film", "what?"]
IDS = [[1, 2, 3, 0], [4, 2, 5, 1], [3, 0, 0, 0]]
BERT_INPUTS = {
    "token_ids": IDS,
    "padding_mask": [[int(number > 0) for number in ids] for ids in IDS],
    "segment_ids": [[0] * 4] * 3,
}


def _classifier(inputs: Any, ids: Any) -> keras.Model:
    words = layers.Embedding(8, 4, mask_zero=True, name="embedding")(ids)
    x = layers.GlobalAveragePooling1D()(words)
    return keras.Model(inputs, layers.Dense(3, "softmax", name="probabilities")(x))


def of_strings() -> keras.Model:
    text = keras.Input((), dtype="string", name="text")
    vectorize = layers.TextVectorization(output_sequence_length=4, vocabulary=["film", "great", "dull"])
    return _classifier(text, vectorize(text))


def of_ids(length: int | None) -> keras.Model:
    ids = keras.Input((length,), dtype="int32", name="ids")
    return _classifier(ids, ids)


class Row(NamedTuple):
    """A kind of text classifier.

    Attributes:
        build: makes one.
        x: what it reads, as Python's lists.
        litert: words of the sentence with which LiteRT refuses; `None` where it does not.
    """

    build: Callable[[], keras.Model]
    x: Any
    litert: str | None


SLOW = pytest.mark.slow  # a part of their way is in test_classifier_matrix
ROWS = {
    "string": Row(of_strings, TEXTS, "reads strings: build the explainer on the part behind the layer"),
    "ids, fixed": Row(lambda: of_ids(4), IDS, None),
    "ids, variable": Row(lambda: of_ids(None), IDS, "has inputs of one size"),
    "three inputs": Row(KINDS["bert"].build, BERT_INPUTS, "has inputs of one size"),
}


@pytest.mark.usefixtures("without_beams")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[SLOW] if name.startswith("ids") else []) for name in ROWS]
)
def test_row(name, make_model, tmp_path, capsys):
    build, x, litert = ROWS[name]
    if name == "three inputs":
        pytest.importorskip("keras_hub")
    by_name = x if isinstance(x, dict) else {build().inputs[0].name: x}
    model = make_model(build(), max_length=4)
    model.compile("adam")
    arrays = {key: np.array(part, object if name == "string" else "int32") for key, part in by_name.items()}
    model.fit(arrays, [["a black bird."], ["a white bird."], ["a red bird."]], verbose=0)
    said = model.explain(x)
    rows = [dict(zip(by_name, row, strict=True)) for row in zip(*by_name.values(), strict=True)]
    texts = [explanation.text for explanation in said]

    model.save(tmp_path / "model.keras")
    (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    given = [f"--text={text}" for text in x] if name == "string" else [str(tmp_path / "rows.jsonl")]
    assert main(["explain", str(tmp_path / "model.keras"), *given, "--json"]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["text"] for one in printed] == texts

    model.export(tmp_path / "1", max_batch_size=1)
    names = list(by_name) if name == "three inputs" else ["x"]
    inputs = dict(zip(names, arrays.values(), strict=True))
    if name == "string":
        inputs["x"] = np.array([text.encode() for text in TEXTS], object)
    (answer,) = c_api.run(tmp_path / "1", [("serving_default", inputs)], tmp_path)
    assert [text.decode() for text in answer["explanation"]] == texts

    servable = Servable(tmp_path / "1")
    signature = servable.signature("")
    served = rows if name == "three inputs" else x
    read = json_tensors.read_inputs({"instances": served}, signature)
    assert signature.check(read) == 3
    assert [text.decode() for text in signature(read)["explanation"]] == texts
    servable.close()

    if litert is not None:
        with pytest.raises(ValueError, match=re.escape(litert)):
            model.export(tmp_path / "model.tflite", format="litert")


def test_a_run_explains_a_text_classifier(tmp_path, capsys):
    """Of a CSV file whose column has the name of the classifier's input."""
    lines = ["text,label,explanation,split"]
    for split in ("train", "validation"):
        lines += [
            f"{text} {number},{label},it says {text}.,{split}"
            for number in range(3)
            for label, text in zip("abc", ("a great film", "a dull film", "what is it"), strict=True)
        ]
    (tmp_path / "films.csv").write_text("\n".join(lines) + "\n")
    of_strings().save(tmp_path / "films.keras")
    config = runs.RunConfig(
        str(tmp_path / "films.csv"),
        variant=None,
        classifier=str(tmp_path / "films.keras"),
        units=8,
        epochs=1,
    )
    runs.train(config, tmp_path / "run")
    assert main(["explain", str(tmp_path / "run"), str(tmp_path / "films.csv")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 18
