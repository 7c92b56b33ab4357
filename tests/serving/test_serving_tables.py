"""An exported classifier of a table: its columns are the inputs of signatures, REST, gRPC and the page."""

import json
import urllib.error
import urllib.request

import c_api
import grpc
import numpy as np
import pytest
import tensorflow as tf
from headless_chromium import PROGRAM, Browser
from serving_models import running
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from interpnet_tf import classifiers
from interpnet_tf.export import signatures

TABLE = {
    "alcohol": np.float32([14, 11, np.nan, 12]),
    "acid-ph": np.float32([3, 4, 3.5, 3]),
    "colour": np.array(["red", "white", "", "red"], object),
    "fine": np.array([True, False, True, False]),
}
ROWS = {name: column[:3] for name, column in TABLE.items()}


@pytest.fixture(scope="module")
def said(make_model, tmp_path_factory):
    """The folder of a model's versions, and what the model says of `ROWS`."""
    folder = tmp_path_factory.mktemp("models")
    model = make_model(classifiers.table_mlp(TABLE, 3, (4,), seed=0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signatures, "explain_top", lambda model, x, *_: signatures.classify(model, x))
        model.export(folder / "1", max_batch_size=2)
    return folder, model.explain(ROWS)


@pytest.fixture(scope="module")
def endpoints(said):
    with running(said[0]) as endpoints:
        yield endpoints


def predict(endpoints, body):
    request = urllib.request.Request(f"{endpoints.rest}/v1/models/toy:predict", body.encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)["error"]


def test_signatures_have_the_columns_with_their_types(said):
    folder, _ = said
    read = c_api.signature_defs(folder / "1")["serving_default"].inputs
    found = {name: (tf.as_dtype(info.dtype).name, len(info.tensor_shape.dim)) for name, info in read.items()}
    assert found == {
        "alcohol": ("float32", 1),
        "acid-ph": ("float32", 1),
        "colour": ("string", 1),
        "fine": ("bool", 1),
    }
    card = json.loads((folder / "1/model_card.json").read_text())
    assert card["may_be_missing"] == ["acid-ph", "alcohol"]


def test_without_python_ops(said, tmp_path):
    folder, explanations = said
    rows = {**ROWS, "colour": np.array([text.encode() for text in ROWS["colour"]], object)}
    infinite = {**rows, "alcohol": np.float32([1, np.inf, 1])}
    requests = [("serving_default", rows), ("classify", infinite)]
    answer, error = c_api.run(folder / "1", requests, tmp_path)
    assert [text.decode() for text in answer["explanation"]] == [one.text for one in explanations]
    np.testing.assert_allclose(answer["probability"], [one.probability for one in explanations], rtol=1e-4)
    assert "alcohol must hold finite numbers only" in str(error)


def test_rest_and_grpc(endpoints, said):
    rows = [{name: column[row] for name, column in ROWS.items()} for row in range(3)]
    as_json = json.dumps(rows, default=lambda number: number.item())
    assert "NaN" in as_json
    texts = [one.text for one in said[1]]
    answer = predict(endpoints, f'{{"instances": {as_json}}}')
    assert [one["explanation"] for one in answer["predictions"]] == texts
    columns = json.dumps({name: column.tolist() for name, column in ROWS.items()})
    assert predict(endpoints, f'{{"inputs": {columns}}}')["outputs"]["explanation"] == texts
    wrong = json.dumps({name: column.tolist() for name, column in ROWS.items() if name != "fine"})
    assert "missing: ['fine']" in predict(endpoints, f'{{"inputs": {wrong}}}')
    assert "not finite" in predict(endpoints, f'{{"inputs": {columns.replace("NaN", "Infinity")}}}')

    request = predict_pb2.PredictRequest()
    request.model_spec.name = "toy"
    for name, column in ROWS.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(column))
    with grpc.insecure_channel(endpoints.grpc) as channel:
        answer = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=60)
    assert [text.decode() for text in answer.outputs["explanation"].string_val] == texts


@pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")
def test_the_page_is_a_form_of_the_columns(endpoints, said, tmp_path):
    with Browser(tmp_path) as browser:
        browser.call("Page.navigate", url=f"{endpoints.rest}/")
        boxes = "[...document.querySelectorAll('#columns input')]"
        browser.wait_for(f"{boxes}.length == 4")
        assert not browser.value("document.getElementById('columns').hidden")
        assert browser.value(f"{boxes}.map(box => [box.name, box.type])") == [
            ["acid-ph", "number"],
            ["alcohol", "number"],
            ["colour", "text"],
            ["fine", "checkbox"],
        ]
        assert browser.value("document.getElementById('drop').hidden")
        # The third row: its alcohol and its colour are missing.
        browser.value(f"{boxes}[0].value = '3.5', {boxes}[3].checked = true")
        browser.value("document.querySelector('#columns button').click()")
        browser.wait_for("!document.getElementById('answer').hidden")
        assert browser.value("document.getElementById('explanation').textContent") == said[1][2].text
        assert browser.value("document.getElementById('error').textContent") == ""
