"""The clients of the deployment kit, unchanged, against `interpnet serve` with real exports."""

import importlib.util
import io
from pathlib import Path

import grpc
import keras
import numpy as np
import pytest
from PIL import Image
from serving_models import running

saved_model = pytest.importorskip("interpnet_tf.export.saved_model")
CLIENTS = Path(__file__).parents[2] / "export" / "clients"


def client_module(name):
    specification = importlib.util.spec_from_file_location(name, CLIENTS / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rest():
    return client_module("rest")


@pytest.fixture(scope="module")
def grpc_client():
    return client_module("grpc_client")


@pytest.fixture(scope="module")
def features(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    saved_model.export_saved_model(trained, folder / "1", name="birds", max_batch_size=8)
    with running(folder, model_name="birds", max_batch_size=8) as endpoints:
        yield endpoints


@pytest.fixture(scope="module")
def picture_model(make_model):
    keras.utils.set_random_seed(3)
    layers = keras.layers
    classifier = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu", name="convolution"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax", name="probabilities"),
        ]
    )
    return make_model(classifier)


@pytest.fixture(scope="module")
def pictures(picture_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    saved_model.export_saved_model(picture_model, folder / "1", name="birds", max_batch_size=8)
    with running(folder, model_name="birds") as endpoints:
        yield endpoints


def said(answers):
    """Returns label and explanation of each answer of a client."""
    return [(answer["label"], answer["explanation"]) for answer in answers]


def expected(model, x):
    return [(explanation.label, explanation.text) for explanation in model.explain(x)]


def test_features(features, rest, grpc_client, trained, birds):
    wanted = expected(trained, birds.inputs)
    by_rest = rest.Client(features.rest, "birds")
    answers = [
        answer
        for begin in range(0, 13, 8)
        for answer in by_rest.predict(birds.inputs[begin : begin + 8].tolist())
    ]
    assert said(answers) == wanted
    assert set(by_rest.predict(birds.inputs[:1].tolist(), "classify")[0]) == {
        "label",
        "class_id",
        "probability",
        "probabilities",
    }
    with grpc_client.Client(features.grpc, "birds") as by_grpc:
        assert said(by_grpc.explain_many(birds.inputs, batch_size=4)) == wanted
        top = by_grpc.predict({"x": birds.inputs[:2]}, "explain_top")
    best = trained.explain(birds.inputs[:2], sampler="beam", beams=5, n_best=5)
    assert [row[0].decode() for row in top["explanations"]] == [explanation.text for explanation in best]


def test_pictures(pictures, rest, grpc_client, picture_model):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), "uint8")
    files = []
    for picture in pixels:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        files.append(file.getvalue())
    wanted = expected(picture_model, pixels.astype("float32"))
    by_rest = rest.Client(pictures.rest, "birds")
    assert said(by_rest.explain_pictures(files)) == wanted
    assert said(by_rest.predict(pixels.tolist())) == wanted
    with grpc_client.Client(pictures.grpc, "birds") as by_grpc:
        assert said(by_grpc.explain_pictures(files)) == wanted
        assert said(by_grpc.explain(pixels)) == wanted


def test_status_and_metadata(features, rest, grpc_client):
    by_rest = rest.Client(features.rest, "birds", version=1)
    assert [(one["version"], one["state"]) for one in by_rest.status()] == [("1", "AVAILABLE")]
    assert "explain_top" in by_rest.metadata()["metadata"]["signature_def"]["signature_def"]
    with grpc_client.Client(features.grpc, "birds") as by_grpc:
        assert by_grpc.status() == {1: "AVAILABLE"}
        assert "explain_top" in by_grpc.metadata()


def test_what_is_refused(features, pictures, rest, grpc_client):
    with pytest.raises(rest.ServerError) as caught:
        rest.Client(features.rest, "birds").predict([[1.0, 2.0]])
    assert (caught.value.status, "[batch, 5]" in caught.value.message) == (400, True)
    with pytest.raises(rest.ServerError) as caught:
        rest.Client(features.rest, "robins").predict([[1.0, 2.0]])
    assert caught.value.status == 404
    with pytest.raises(rest.ServerError) as caught:
        rest.Client(pictures.rest, "birds").explain_pictures([b"\xff\xd8\xff\xe0"])
    assert (caught.value.status, "whole JPEG or PNG" in caught.value.message) == (400, True)
    with grpc_client.Client(features.grpc, "birds") as by_grpc, pytest.raises(grpc.RpcError) as caught:
        by_grpc.explain(np.full((1, 5), np.nan, "float32"))
    assert caught.value.code().name == "INVALID_ARGUMENT"
