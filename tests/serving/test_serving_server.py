"""`interpnet serve` as a process: start, graceful stop, and what cannot start."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests
from serving_models import running, write_toy

from interpnet_tf.cli import main


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_toy(folder, 1)
    return folder


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_requests_finish(models, number):
    command = [sys.executable, "-m", "interpnet_tf.cli", "serve", str(models), "--model-name", "toy"]
    command += ["--rest-port", "0", "--grpc-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines = [process.stdout.readline() for _ in range(5)]
        assert lines[0] == 'serving "toy", version 1\n'
        assert "development and small sites" in lines[4]
        url = re.search(r"REST  (\S+)", lines[2])[1]
        root = url.split("/v1")[0]
        answers = []

        def ask():
            body = {"signature_name": "slow", "inputs": [[1.0]]}
            answers.append(requests.post(url, json=body, timeout=60).json())

        asking = threading.Thread(target=ask)
        asking.start()
        while 'in_flight{api="rest"} 1' not in requests.get(f"{root}/metrics", timeout=30).text:
            time.sleep(0.01)
        process.send_signal(number)
        asking.join()
        assert answers == [{"outputs": [1]}]
        assert process.wait(30) == 0
        assert process.stdout.read() == "stopped\n"
        assert "Traceback" not in process.stderr.read()
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{root}/healthz", timeout=5)
    finally:
        process.kill()
        process.wait()


def test_the_event_loop_is_free_while_a_model_runs(models):
    with running(models) as endpoints:
        body = {"signature_name": "slow", "inputs": [[1.0]]}
        asking = threading.Thread(
            target=requests.post, args=(f"{endpoints.rest}/v1/models/toy:predict",), kwargs={"json": body}
        )
        asking.start()
        looks = 0
        while asking.is_alive():
            assert requests.get(f"{endpoints.rest}/healthz", timeout=30).text == "ok\n"
            looks += 1
        assert looks > 2  # a loop that is not free would answer at the end of the second only


def test_a_request_may_take_so_long(models):
    with running(models, request_timeout=0.1) as endpoints:
        body = {"signature_name": "slow", "inputs": [[1.0]]}
        answer = requests.post(f"{endpoints.rest}/v1/models/toy:predict", json=body, timeout=30)
        assert (answer.status_code, "too long" in answer.json()["error"]) == (504, True)


def test_a_port_that_is_taken(models, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        for option, free in (("--rest-port", "--grpc-port"), ("--grpc-port", "--rest-port")):
            assert main(["serve", str(models), option, port, free, "0"]) == 2
            assert f"choose another {option}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "is no folder"),
        (["birds.keras"], "birds.keras is a file; export the model first: interpnet export birds.keras"),
        ([".", "--max-batch-size", "0"], "max_batch_size must be at least 1"),
        ([".", "--max-queued-rows", "8"], "at least one batch of 64 rows"),
        ([".", "--batch-timeout-ms", "nan"], "batch_timeout_ms"),
        (["."], "holds no version"),
    ],
)
def test_options_that_make_no_server(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "birds.keras").touch()
    ports = ["--rest-port", "0", "--grpc-port", "0"]
    assert main(["serve", *arguments, *ports]) == 2
    assert message in capsys.readouterr().err


def test_help_says_what_it_is_for(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    assert "development and small" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit):
        main(["serve", ".", "--label", "stable"])
    assert "stable=3" in capsys.readouterr().err
