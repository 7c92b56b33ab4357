"""Clients that mean harm, or are broken, take nothing from others: small forms of each attack."""

import asyncio
import base64
import io
import json
from types import SimpleNamespace

import pytest
import requests
from PIL import Image
from serving_models import running, write_toy

from interpnet_tf.serving import json_reader
from interpnet_tf.serving.budget import FREE, Budget
from interpnet_tf.serving.errors import LONGEST_MESSAGE, ServingError, invalid
from interpnet_tf.serving.json_reader import JsonReader
from interpnet_tf.serving.specs import TensorSpec

ROWS = {"instances": [[1, 2, 3]]}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_toy(folder, 7)
    with running(folder, max_body_bytes=2**23) as endpoints:
        yield f"{endpoints.rest}/v1/models/toy"


def predict(url, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.post(f"{url}:predict", data=data, timeout=60)


def is_answered(url):
    return predict(url, ROWS).status_code == 200


def rows_of(text, size):
    """JSON of about `size` bytes that repeats a text as rows."""
    return b'{"instances": [' + b",".join([text] * (size // (len(text) + 1))) + b"]}"


LARGE = 2**17  # more than is read in the server's own process
BODIES = {
    "too many rows": (rows_of(b"[1, 2, 3]", LARGE), 400, "at most 64 rows"),
    "empty lists": (rows_of(b"[]", LARGE), 400, "but the model reads [batch, 3]"),
    "one long row": (rows_of(b"0", LARGE), 400, "but the model reads [batch, 3]"),
    "deeper and deeper": (b'{"instances": ' + b"[" * LARGE, 400, "JSON Parse error"),
    "objects in objects": (b'{"a":' * LARGE + b"1" + b"}" * LARGE, 400, "JSON Parse error"),
    "a million digits": (b'{"instances": [[1, 2, ' + b"7" * 10**6 + b"]]}", 400, "JSON Parse error"),
    "more digits than Python reads": (
        b'{"instances": [[1, 2, ' + b"7" * 5000 + b"]]}",
        400,
        "value has 5000 digits; send an object",
    ),
    "a million digits of a fraction": (
        b'{"instances": [[1, 2, 0.' + b"7" * 10**6 + b"]]}",
        200,
        "predictions",
    ),
    "a large exponent": (b'{"instances": [[1, 2, 1e999999]]' + b" " * LARGE + b"}", 400, "not finite"),
    "not a number": (rows_of(b"[NaN, 1, 2]", LARGE), 400, "not finite"),
    "a key many times": (
        b'{"signature_name": "no", ' + b'"instances": [], ' * 9000 + b'"instances": [[1, 2, 3]]}',
        400,
        "not found",
    ),
    "many keys": (
        json.dumps({"instances": [{f"key {index}": 1 for index in range(10_000)}]}).encode(),
        400,
        "missing: ['x']",
    ),
    "no UTF-8": (b'{"instances": ["' + b"\xff" * LARGE + b'"]}', 400, "JSON Parse error"),
    "half a surrogate pair as signature": (b'{"signature_name": "\\ud83d", "instances": []}', 400, r"\ud83d"),
    "half a surrogate pair as text": (
        b'{"signature_name": "serving_bytes", "instances": ["\\udc00"]}',
        400,
        "surrogate",
    ),
    "a duck as signature": (b'{"signature_name": "\\ud83e\\udd86", "instances": []}', 400, "\N{DUCK}"),
    "many ducks as signature": (
        b'{"signature_name": "' + b"\\ud83e\\udd86" * LARGE + b'", "instances": []}',
        400,
        "\N{DUCK}",
    ),
    "base64 of no picture": (
        json.dumps(
            {
                "signature_name": "serving_bytes",
                "instances": [{"b64": base64.b64encode(bytes(LARGE)).decode()}],
            }
        ).encode(),
        400,
        "JPEG",
    ),
    "base64 that is none": (
        json.dumps({"signature_name": "serving_bytes", "instances": [{"b64": "*" * LARGE}]}).encode(),
        400,
        "base64",
    ),
    "UTF-16": (json.dumps(ROWS).encode("utf-16"), 200, "predictions"),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(url, name):
    body, status, text = BODIES[name]
    answer = predict(url, body)
    assert (answer.status_code, text in answer.text) == (status, True), answer.text
    if status != 200:
        assert len(answer.json()["error"].encode()) <= LONGEST_MESSAGE
    assert is_answered(url)


def test_a_picture_with_too_many_pixels(url):
    file = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(file, "PNG")
    body = {
        "signature_name": "serving_bytes",
        "instances": [{"b64": base64.b64encode(file.getvalue()).decode()}],
    }
    answer = predict(url, body)
    assert answer.status_code == 400
    assert "picture 0 is not read: it has 30000 x 30000 pixels" in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/models/toy/versions/\u0667:predict", 400),  # an Arabic seven
        ("/v1/models/toy/versions/7:predict", 200),
        ("/v1/models/toy/versions/0000007:predict", 200),
        (f"/v1/models/toy/versions/{2**63}:predict", 404),
        ("/v1/models/\ud83e\udd86:predict".encode("utf-16", "surrogatepass").decode("utf-16"), 404),
        ("/v1/models/%ff%fe:predict", 404),
        ("/v1/models/%ed%a0%80:predict", 404),
        ("/v1/models/toy%00:predict", 404),
        ("/v1/models/toy/versions/7?%0d%0aX: y", 400),
    ],
)
def test_paths(url, path, status):
    root = url.removesuffix("/v1/models/toy")
    assert requests.post(root + path, json=ROWS, timeout=30).status_code == status


def test_a_host_that_is_none(url):
    answer = requests.post(f"{url}:predict", json=ROWS, headers={"Host": "["}, timeout=30)
    assert answer.status_code == 200


def test_the_event_loop_runs_while_a_large_body_is_read():
    async def work():
        reader = JsonReader(2**23)
        ticks = 0
        body = b'{"instances": [' + b"[]," * 2**18
        reading = asyncio.create_task(reader.read(body, lambda name: None))
        while not reading.done():
            ticks += 1
            await asyncio.sleep(0.001)
        assert "JSON Parse error" in str(reading.exception())
        reader.close()
        return ticks

    assert asyncio.run(work()) > 10


def test_json_takes_bounded_memory():
    process = json_reader._Process(2**24)
    with pytest.raises(ServingError, match="bytes of memory") as caught:
        process._read(b'{"instances": [' + b"[]," * 2**19 + b"[]]}", lambda name: None)
    assert caught.value.http_status == 413
    body = json.dumps({"instances": ["duck"]}).encode()

    text = TensorSpec("x", "", SimpleNamespace(name="string"), (None,))
    inputs = SimpleNamespace(name="text", inputs={"x": text})
    form, _, arrays = process._read(body, lambda name: inputs)
    assert (form, arrays["x"].tolist()) == ("instances", [b"duck"])
    process.close()


def test_a_reading_process_that_is_killed_comes_back():
    def find(name):
        raise invalid("unknown")

    process = json_reader._Process(2**28)
    process._started().kill()
    process._process.wait()
    with pytest.raises(ServingError, match="unknown"):
        process._read(b'{"instances": []}', find)

    def killing(name):  # in the middle of a request
        process._process.kill()
        return SimpleNamespace(name="text", inputs={})

    with pytest.raises(ServingError, match="could not be read") as caught:
        process._read(b'{"instances": []}', killing)
    assert caught.value.http_status == 503
    with pytest.raises(ServingError, match="unknown"):
        process._read(b'{"instances": []}', find)
    process.close()


def test_requests_hold_bounded_memory():
    budget = Budget(1000)
    with budget.request() as hold, budget.request() as other:
        hold(FREE + 600)
        other(FREE + 400)
        hold(FREE + 600)
        with pytest.raises(ServingError, match="try again later") as caught:
            other(FREE + 401)
        assert caught.value.http_status == 503
        hold(10)  # as an answer is smaller than its question
        other(FREE + 1000)
    assert budget.held == 0
