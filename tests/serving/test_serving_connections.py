"""Connections that wait for their client, or are too many, are closed; others are not."""

import asyncio
import concurrent.futures
import contextlib
import http.client
import socket
import threading
import time

import pytest
import uvicorn

from interpnet_tf.serving import server
from interpnet_tf.serving.connections import ConnectionLimits
from interpnet_tf.serving.rest_answers import LastAnswers

HALF_SENT = b"GET / HTTP/1.1\r\nHost: x\r\nX-Header: "


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
