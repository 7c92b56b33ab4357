"""The REST API answers as TensorFlow Serving does, and lives through what is wrong."""

import base64
import io
import json
import socket

import numpy as np
import pytest
import requests
from PIL import Image
from serving_models import running, write_toy

LIMIT = 40_000


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_toy(folder, 7)
    with running(
        folder, max_batch_size=8, max_queued_rows=16, max_body_bytes=LIMIT, labels={"stable": 7}
    ) as endpoints:
        yield f"{endpoints.rest}/v1/models/toy"


def predict(url, body, where=":predict"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.post(url + where, data=data, timeout=30)


def jpeg(brightness=255):
    file = io.BytesIO()
    Image.fromarray(np.full((20, 30, 3), brightness, "uint8")).save(file, "JPEG")
    return file.getvalue()


def in_base64(data):
    return {"b64": base64.b64encode(data).decode()}


def test_rows(url):
    answer = predict(url, {"instances": [[1, 2, 3.5], [0.1, 0.2, 0.3]]})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "predictions": [
            {"double": [2.0, 4.0, 7.0], "text": "sum 6.5", "version": 7, "rows_in_batch": 2},
            # 0.2 is no float32: as few digits are written as tell it apart
            {"double": [0.2, 0.4, 0.6], "text": "sum 0.6", "version": 7, "rows_in_batch": 2},
        ]
    }


def test_columns(url):
    assert predict(url, {"inputs": [[1, 2, 3]]}).json() == {
        "outputs": {"double": [[2.0, 4.0, 6.0]], "text": ["sum 6.0"], "version": [7], "rows_in_batch": [1]}
    }
    assert predict(url, {"inputs": {"x": [[1, 2, 3]]}}).json()["outputs"]["version"] == [7]


def test_several_inputs_and_a_single_output(url):
    rows = [{"a": 1, "b": [2, 3], "c": True}, {"a": -5, "b": [0, 255], "c": False}]
    answer = predict(url, {"signature_name": "several", "instances": rows})
    assert answer.json() == {"predictions": [7, 250]}
    columns = {"a": [1, -5], "b": [[2, 3], [0, 255]], "c": [True, False]}
    answer = predict(url, {"signature_name": "several", "inputs": columns})
    assert answer.json() == {"outputs": [7, 250]}


def test_a_signature_without_a_batch(url):
    answer = predict(url, {"signature_name": "scalar", "inputs": 3})
    assert answer.json() == {"outputs": {"half": 1.5, "raw_bytes": in_base64(b"\xff\x00")}}


def test_pictures_in_base64(url):
    instances = [in_base64(jpeg(255)), {"image_bytes": in_base64(jpeg(0))}]
    for instance, label in zip(instances, ("white", "black"), strict=True):
        answer = predict(url, {"signature_name": "serving_bytes", "instances": [instance]})
        assert answer.json()["predictions"][0]["label"] == label


def test_status_and_metadata(url):
    version = {"version": "7", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    for where in ("", "/versions/7", "/labels/stable"):
        assert requests.get(url + where, timeout=30).json() == {"model_version_status": [version]}
        metadata = requests.get(f"{url}{where}/metadata", timeout=30).json()
        assert metadata["model_spec"] == {"name": "toy", "version": "7", "signature_name": ""}
        signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
        assert signature["method_name"] == "tensorflow/serving/predict"
        sizes = [size["size"] for size in signature["inputs"]["x"]["tensor_shape"]["dim"]]
        assert sizes == ["-1", "3"]
        assert signature["outputs"]["text"]["dtype"] == "DT_STRING"


@pytest.mark.parametrize("where", ["/versions/7:predict", "/labels/stable:predict"])
def test_version_and_label(url, where):
    assert predict(url, {"instances": [[1, 2, 3]]}, where).json()["predictions"][0]["version"] == 7


ROWS = {"instances": [[1, 2, 3]]}
WRONG = {
    "malformed JSON": (b'{"instances": [[1, 2', ":predict", 400, "JSON Parse error"),
    "an empty body": (b"", ":predict", 400, "JSON Parse error"),
    "deep JSON": (b"[" * 30_000, ":predict", 400, "JSON"),
    "bytes that are no UTF-8": (b'{"instances": ["\xff"]}', ":predict", 400, "JSON Parse error"),
    "a list": (b"[1]", ":predict", 400, "list"),
    "no key": ({"examples": []}, ":predict", 400, '"inputs" or "instances"'),
    "both keys": ({"inputs": [], "instances": []}, ":predict", 400, "both"),
    "a number for a name": ({"signature_name": 1, **ROWS}, ":predict", 400, "signature_name"),
    "rows that are no list": ({"instances": 3}, ":predict", 400, "number"),
    "an empty batch": ({"instances": []}, ":predict", 400, "empty"),
    "an empty batch of columns": ({"inputs": np.zeros((0, 3)).tolist()}, ":predict", 400, "[0]"),
    "a wrong width": ({"instances": [[1, 2]]}, ":predict", 400, "[1, 2], but the model reads [batch, 3]"),
    "a wrong rank": ({"instances": [1, 2, 3]}, ":predict", 400, "[3], but"),
    "ragged rows": ({"instances": [[1, 2, 3], [1, 2]]}, ":predict", 400, "2 to 3 items"),
    "mixed depths": ({"instances": [[1, 2, 3], 4]}, ":predict", 400, "mixes"),
    "mixed kinds": ({"instances": [{"x": [1, 2, 3]}, [1, 2, 3]]}, ":predict", 400, "mixes"),
    "text for numbers": ({"instances": [["1", 2, 3]]}, ":predict", 400, '"1", a string'),
    "true for a number": ({"instances": [[True, 2, 3]]}, ":predict", 400, "a boolean"),
    "null": ({"instances": [[None, 2, 3]]}, ":predict", 400, "a null"),
    "not a number": (b'{"instances": [[1, NaN, 3]]}', ":predict", 400, "not finite"),
    "infinity": (b'{"instances": [[1, 2, -Infinity]]}', ":predict", 400, "[0, 2]"),
    "larger than float32": ({"instances": [[1e39, 2, 3]]}, ":predict", 400, "too large for float32"),
    "an unknown input": ({"inputs": {"y": [[1, 2, 3]]}}, ":predict", 400, "missing: ['x'], unknown: ['y']"),
    "too many rows": ({"instances": [[1, 2, 3]] * 9}, ":predict", 400, "at most 8 rows"),
    "too long a body": (b" " * (LIMIT + 1), ":predict", 413, f"{LIMIT} bytes"),
    "an unknown signature": ({"signature_name": "no", **ROWS}, ":predict", 400, "serving_default"),
    "an unknown version": (ROWS, "/versions/8:predict", 404, "loaded versions: [7]"),
    "an unknown label": (ROWS, "/labels/no:predict", 400, "stable"),
    "an unknown model": (ROWS, "s:predict", 404, '"toy"'),
    "another method": (ROWS, ":classify", 400, "predict"),
    "no method": (ROWS, ":explain", 400, "Malformed request"),
    "a fraction for an integer": (
        {"signature_name": "several", "inputs": {"a": [1.5], "b": [[0, 0]], "c": [True]}},
        ":predict",
        400,
        "int32",
    ),
    "a byte of 256": (
        {"signature_name": "several", "inputs": {"a": [1], "b": [[0, 256]], "c": [True]}},
        ":predict",
        400,
        "too large for uint8",
    ),
    "unequal rows": (
        {"signature_name": "several", "inputs": {"a": [1], "b": [[0, 2], [0, 2]], "c": [True]}},
        ":predict",
        400,
        "number of rows",
    ),
    "a list where inputs have names": ({"signature_name": "several", "inputs": [1]}, ":predict", 400, "name"),
    "wrong base64": (
        {"signature_name": "serving_bytes", "instances": [{"b64": "*"}]},
        ":predict",
        400,
        "base64",
    ),
    "half a picture": (
        {"signature_name": "serving_bytes", "instances": [in_base64(jpeg()[:200])]},
        ":predict",
        400,
        "whole JPEG or PNG",
    ),
    "no picture": (
        {"signature_name": "serving_bytes", "instances": [in_base64(b"hello")]},
        ":predict",
        400,
        "whole JPEG or PNG",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_gets_a_status_and_advice(url, name):
    body, where, status, text = WRONG[name]
    answer = predict(url, body, where)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert text in answer.json()["error"]
    assert predict(url, ROWS).status_code == 200  # the server lives


def test_a_long_body_is_refused_before_it_is_sent(url):
    host, port = url.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            b"POST /v1/models/toy:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n{"
        )
        assert b" 413 " in connection.recv(4096)


def test_a_long_body_without_a_length_is_refused(url):
    answer = requests.post(f"{url}:predict", data=iter([b" " * 8192] * 10), timeout=30)
    assert answer.status_code == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods(url, method):
    answer = requests.request(method, f"{url}:predict", timeout=30)
    assert (answer.status_code, "Malformed request" in answer.text) == (400, True)


def test_outside_of_the_api(url):
    assert requests.get(url.replace("/v1/models/toy", "/v2"), timeout=30).status_code == 404
    assert requests.get(url.replace("toy", "robin"), timeout=30).status_code == 404
    assert requests.get(url + "/versions/99", timeout=30).status_code == 404


def test_health_and_metrics(url):
    root = url.removesuffix("/v1/models/toy")
    assert requests.get(f"{root}/healthz", timeout=30).text == "ok\n"

    def counts():
        text = requests.get(f"{root}/metrics", timeout=30).text
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    before = counts()
    predict(url, {"instances": [[1, 2, 3]] * 3})
    predict(url, {"instances": []})
    after = counts()

    def grown(name):
        return after[name] - before.get(name, 0)

    assert grown('interpnet_serving_requests_total{api="rest",code="OK"}') == 1
    assert grown('interpnet_serving_requests_total{api="rest",code="INVALID_ARGUMENT"}') == 1
    assert grown('interpnet_serving_request_seconds_count{api="rest"}') == 2
    assert grown('interpnet_serving_batch_rows_bucket{signature="serving_default",le="2"}') == 0
    assert grown('interpnet_serving_batch_rows_bucket{signature="serving_default",le="4"}') == 1
    assert after['interpnet_serving_model_version{model="toy",version="7",state="AVAILABLE"}'] == 1
    assert after['interpnet_serving_requests_in_flight{api="rest"}'] == 0
