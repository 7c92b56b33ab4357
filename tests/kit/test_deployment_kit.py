"""The files of the deployment kit are what TensorFlow Serving, Docker and Kubernetes read."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

KIT = Path(__file__).parents[2] / "export"


def batching_parameters(text):
    """Returns the parameters of a batching file, whose message no Python package holds."""
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    pattern = re.compile(r"(\w+) \{ value: (\d+) \}")
    matches = [pattern.fullmatch(line) for line in lines if line]
    assert all(matches)
    return {match[1]: int(match[2]) for match in matches}


def test_models_config():
    config = text_format.Parse(
        (KIT / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == ("birds", "/models/birds", "tensorflow")


def test_batching_fits_the_export():
    import inspect

    from interpnet_tf.export.saved_model import export_saved_model

    parameters = batching_parameters((KIT / "batching_parameters.txt").read_text())
    warm = inspect.signature(export_saved_model).parameters["max_batch_size"].default
    assert parameters["max_batch_size"] == warm
    assert set(parameters) == {
        "max_batch_size",
        "batch_timeout_micros",
        "num_batch_threads",
        "max_enqueued_batches",
    }
    config_map, _ = yaml.safe_load_all((KIT / "kserve.yaml").read_text())
    assert batching_parameters(config_map["data"]["batching_parameters.txt"]) == parameters


def test_docker_compose_mounts_what_there_is():
    service = yaml.safe_load((KIT / "docker-compose.yml").read_text())["services"]["serving"]
    mounted = {target: source for source, target, *_ in (volume.split(":") for volume in service["volumes"])}
    assert mounted.pop("/models/birds") == "./birds"
    for flag in service["command"]:
        name, value = flag.split("=")
        if name.endswith("_file"):
            assert (KIT / mounted[value]).is_file()


def test_kserve_mounts_what_there_is():
    config_map, service = yaml.safe_load_all((KIT / "kserve.yaml").read_text())
    predictor = service["spec"]["predictor"]
    (volume,) = predictor["volumes"]
    assert volume["configMap"]["name"] == config_map["metadata"]["name"]
    (mount,) = predictor["model"]["volumeMounts"]
    assert mount["name"] == volume["name"]
    (file,) = [arg.split("=")[1] for arg in predictor["model"]["args"] if "file=" in arg]
    assert file == f"{mount['mountPath']}/{next(iter(config_map['data']))}"


def test_kserve_and_docker_run_the_same_server():
    _, service = yaml.safe_load_all((KIT / "kserve.yaml").read_text())
    compose = yaml.safe_load((KIT / "docker-compose.yml").read_text())
    version = service["spec"]["predictor"]["model"]["runtimeVersion"]
    assert compose["services"]["serving"]["image"] == f"tensorflow/serving:{version}"


def test_readme_names_what_there_is():
    readme = (KIT / "README.md").read_text()
    named = re.findall(r"`((?:clients/)?[\w-]+\.(?:py|txt|yml|yaml|config))`", readme)
    assert {"clients/rest.py", "kserve.yaml"} <= set(named)
    for name in named:
        assert (KIT / name).exists(), name


@pytest.mark.parametrize("name", ["rest.py", "grpc_client.py"])
def test_clients_import_nothing_of_ours(name):
    tree = ast.parse((KIT / "clients" / name).read_text())
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module.split(".")[0])
    allowed = {"numpy"} if name == "rest.py" else {"numpy", "grpc", "tensorflow", "tensorflow_serving"}
    assert imported - set(sys.stdlib_module_names) <= allowed


@pytest.fixture
def rest():
    import importlib.util

    spec = importlib.util.spec_from_file_location("rest_client", KIT / "clients" / "rest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def server():
    """Gives a server that answers with what the test puts into `answers`, and keeps the requests."""
    import http.server
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            instance.requests.append((self.path, json.loads(body)))
            status, answer = instance.answers.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    instance = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    instance.answers, instance.requests = [], []
    thread = threading.Thread(target=instance.serve_forever)
    thread.start()
    yield instance
    instance.shutdown()
    thread.join()
    instance.server_close()


def test_rest_client_sends_pictures(rest, server):
    server.answers = [(200, {"predictions": [{"label": "crow"}]})]
    client = rest.Client(f"http://127.0.0.1:{server.server_port}/", "my birds", version=3)
    assert client.explain_pictures([b"\x00\xff"]) == [{"label": "crow"}]
    ((path, body),) = server.requests
    assert path == "/v1/models/my%20birds/versions/3:predict"
    assert body == {
        "signature_name": "serving_bytes",
        "instances": [{"image_bytes": {"b64": "AP8="}}],
    }


def test_rest_client_repeats_only_what_may_pass(rest, server):
    client = rest.Client(f"http://127.0.0.1:{server.server_port}", attempts=3)
    server.answers = [(503, {"error": "busy"}), (503, {"error": "busy"}), (200, {"predictions": [1]})]
    assert client.predict([[0.0]]) == [1]
    server.answers = [(400, {"error": "wrong shape"}), (200, {"predictions": [1]})]
    with pytest.raises(rest.ServerError, match="HTTP 400: wrong shape"):
        client.predict([[0.0]])
    server.answers = [(503, {"error": "busy"})] * 3
    with pytest.raises(rest.ServerError, match="busy"):
        client.predict([[0.0]])
    assert len(server.requests) == 3 + 1 + 3


def test_rest_client_says_that_nobody_answers(rest):
    with pytest.raises(rest.ServerError, match="no answer"):
        rest.Client("http://127.0.0.1:9", timeout=1).predict([[0.0]])


def test_rest_client_reads_arrays(rest, tmp_path):
    np.save(tmp_path / "one.npy", np.array([1.0, 2.0]))
    np.savez(tmp_path / "two.npz", features=np.array([[1.0], [2.0]]))
    np.save(tmp_path / "picture.npy", np.zeros((1, 2, 3), "uint8"))
    assert rest.read_instances(tmp_path / "one.npy") == [[1.0, 2.0]]
    assert rest.read_instances(tmp_path / "two.npz") == [[1.0], [2.0]]
    assert rest.read_instances(tmp_path / "picture.npy") == [[[[0, 0, 0], [0, 0, 0]]]]


def test_the_container_starts_the_server(tmp_path):
    lines = (KIT / "Dockerfile").read_text().replace("\\\n", "").splitlines()
    for line in lines:
        if line.startswith("COPY"):
            *sources, _ = line.split()[1:]
            assert sources == ["interpnet_tf-*.whl"]  # as `pip wheel` names it
    (entry_point,) = [line.split(maxsplit=1)[1] for line in lines if line.startswith("ENTRYPOINT")]
    stub = tmp_path / "interpnet"
    stub.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
    stub.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "MODEL_NAME": "two words"}
    command = [*json.loads(entry_point), "--threads", "2"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    words = ["serve", "/models/two words", "--model-name", "two words", "--host", "0.0.0.0", "--threads", "2"]
    assert said.splitlines() == words
