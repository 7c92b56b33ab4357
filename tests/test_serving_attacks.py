"""Clients that mean harm, or are broken, take nothing from others: small forms of each attack."""

import asyncio
import base64
import concurrent.futures
import contextlib
import http.client
import json
import socket
import threading
import time
from types import SimpleNamespace

import pytest
import requests
import uvicorn
from serving_models import running, write_toy

from interpnet_tf.serving import json_reader, server
from interpnet_tf.serving.budget import FREE, Budget
from interpnet_tf.serving.connections import ConnectionLimits
from interpnet_tf.serving.errors import LONGEST_MESSAGE, ServingError, invalid
from interpnet_tf.serving.json_reader import JsonReader
from interpnet_tf.serving.rest_answers import LastAnswers
from interpnet_tf.serving.specs import TensorSpec

ROWS = {"instances": [[1, 2, 3]]}
HALF_SENT = b"GET / HTTP/1.1\r\nHost: x\r\nX-Header: "


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


@contextlib.contextmanager
def serving(application, **limits):
    """Serves an application on a free port with these limits; yields port and server."""
    listening = server._listen("127.0.0.1", 0)
    config = uvicorn.Config(
        application,
        log_level="critical",
        lifespan="off",
        timeout_keep_alive=1,
        timeout_graceful_shutdown=1,
    )
    rest = server._RestServer(config, ConnectionLimits(**limits))
    thread = threading.Thread(target=lambda: asyncio.run(rest.serve([listening])))
    thread.start()
    try:
        yield listening.getsockname()[1], rest
    finally:
        rest.should_exit = True
        thread.join(30)


async def echo(scope, receive, send):
    """Answers with the body of the request, or with so many bytes as the path says."""
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message["more_body"]:
            break
    size = int(scope["path"][1:] or 0)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body or bytes(size)})


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def ask(port, path="/", connection=None):
    connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, len(answer.read())


def is_closed(connection):
    """Waits until the server closes a connection, whatever it says before."""
    try:
        while connection.recv(2**20):
            pass
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET",
        HALF_SENT,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + HALF_SENT,  # a whole request, and half of the next
    ],
)
def test_what_is_half_sent_times_out(sent):
    with serving(echo, header_seconds=0.8, request_seconds=0.8) as (port, _), connect(port) as half:
        half.sendall(sent)
        assert is_closed(half)
        assert ask(port) == (200, 0)


def test_a_header_that_comes_byte_by_byte_times_out():
    with serving(echo, header_seconds=0.3) as (port, _), connect(port) as slow:
        slow.sendall(HALF_SENT)
        end = time.monotonic() + 120
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < end:
                slow.sendall(b"x")
                time.sleep(0.02)
        assert time.monotonic() < end


def test_an_answer_that_nobody_reads_times_out():
    with serving(echo, answer_seconds=0.3) as (port, rest), connect(port) as deaf:
        deaf.sendall(b"GET /50000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        end = time.monotonic() + 120
        while rest.server_state.total_requests == 0 or rest.server_state.connections:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert ask(port) == (200, 0)


def test_who_is_patient_is_not_cut_off():
    with serving(echo, header_seconds=0.4) as (port, _):
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(3):
            assert ask(port, connection=kept) == (200, 0)
            time.sleep(0.6)  # longer than headers may take: there is nothing half-sent


def test_one_connection_too_many_closes_the_one_that_has_waited_longest():
    with serving(echo, most=3) as (port, _), contextlib.ExitStack() as opened:
        waiting = [opened.enter_context(connect(port)) for _ in range(3)]
        for connection in waiting:
            connection.sendall(HALF_SENT)
            time.sleep(0.05)
        assert ask(port) == (200, 0)
        assert is_closed(waiting[0])
        for connection in waiting[1:]:
            connection.sendall(b"y\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"


def test_many_half_sent_requests_lock_nobody_out():
    with serving(echo, most=20) as (port, rest), contextlib.ExitStack() as opened:
        for _ in range(100):
            opened.enter_context(connect(port)).sendall(HALF_SENT)
        assert [ask(port) for _ in range(5)] == [(200, 0)] * 5
        assert len(rest.server_state.connections) <= 20


def test_where_all_are_at_work_one_more_is_told_to_come_again():
    release = threading.Event()

    async def working(scope, receive, send):
        await receive()
        while not release.is_set():
            await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with serving(working, most=2) as (port, rest), concurrent.futures.ThreadPoolExecutor() as pool:
        try:
            asked = [pool.submit(ask, port) for _ in range(2)]
            while len(rest.server_state.tasks) < 2:
                time.sleep(0.01)
            with connect(port) as third:
                assert third.recv(100).startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n")
        finally:
            release.set()
        assert [one.result() for one in asked] == [(200, 0)] * 2


def test_a_kept_connection_is_answered_once_more_when_the_server_stops():
    stopping = threading.Event()
    with serving(LastAnswers(echo, stopping.is_set)) as (port, rest):
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        kept.request("GET", "/")
        answer = kept.getresponse()
        answer.read()
        assert answer.getheader("connection") is None
        stopping.set()
        letting_go = threading.Thread(target=lambda: asyncio.run(rest.let_go(30)))
        letting_go.start()
        kept.request("GET", "/")
        answer = kept.getresponse()
        answer.read()
        assert (answer.status, answer.getheader("connection")) == (200, "close")
        letting_go.join(10)
        assert not letting_go.is_alive()
        assert ask(port) == (200, 0)  # until it stops for good
