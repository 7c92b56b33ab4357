"""Asks a server for explanations over REST; needs Python's standard library only (and NumPy for features).

    python rest.py photo.jpg another.png
    python rest.py --server http://localhost:8501 --model birds features.npy
    python rest.py --signature explain_top photo.npy
    python rest.py --status

The server is TensorFlow Serving, or `interpnet serve`: both speak this API,
https://www.tensorflow.org/tfx/serving/api_rest.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

# What may be gone when asked again: the server is busy, starting or loading a version.
TEMPORARY = {429, 502, 503, 504}
ADVICE = {
    400: "the request does not fit the model; compare it with: rest.py --metadata",
    404: "the server has no such model, version or signature; see: rest.py --status",
    413: "send fewer or smaller pictures a request",
    429: "the server's queue is full; ask less often",
    503: "the model is not loaded, or the server's queue is full; see: rest.py --status",
    504: "the server took too long; raise --timeout, or send fewer pictures a request",
}


class ServerError(Exception):
    """The server refused a request, or did not answer.

    Attributes:
        status: the HTTP status; 0 where there was no answer.
        message: what the server said.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"HTTP {status}: {message}" if status else message)
        self.status, self.message = status, message


class Client:
    """Speaks to one model of a server.

    Args:
        server: address of the server's REST port.
        model: name of the model.
        version: number of a version; by default the newest.
        timeout: seconds that a request may take, repetitions included.
        attempts: how often a request is made that meets a busy server.
    """

    def __init__(
        self,
        server: str = "http://localhost:8501",
        model: str = "birds",
        version: int | None = None,
        timeout: float = 10.0,
        attempts: int = 3,
    ) -> None:
        self.url = f"{server.rstrip('/')}/v1/models/{urllib.parse.quote(model, safe='')}"
        self.url += "" if version is None else f"/versions/{version}"
        self.timeout, self.attempts = timeout, attempts

    def status(self) -> list[dict]:
        """Returns the state of each version: `[{"version": "1", "state": "AVAILABLE", …}]`."""
        return self._ask(self.url)["model_version_status"]

    def metadata(self) -> dict:
        """Returns the signatures, with type and shape of each input and output."""
        return self._ask(f"{self.url}/metadata")

    def predict(self, instances: list, signature: str = "serving_default") -> list:
        """Returns a prediction for each instance: a dict, or a bare value where there is one output only.

        Args:
            instances: one input each: nested lists of numbers, or dicts of the inputs' names.
            signature: which function of the model to run.

        Raises:
            ServerError: if the server refuses.
        """
        return self._ask(f"{self.url}:predict", {"signature_name": signature, "instances": instances})[
            "predictions"
        ]

    def explain_pictures(self, pictures: list[bytes]) -> list[dict]:
        """Returns label, probability and explanation of JPEG or PNG files, given as their bytes."""
        instances = [
            {"image_bytes": {"b64": base64.b64encode(picture).decode("ascii")}} for picture in pictures
        ]
        return self.predict(instances, "serving_bytes")

    def _ask(self, url: str, body: dict | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        deadline = time.monotonic() + self.timeout
        for attempt in range(1, self.attempts + 1):
            try:
                left = max(deadline - time.monotonic(), 0.001)
                with urllib.request.urlopen(request, timeout=left) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                failure = ServerError(error.code, _message(error.read()))
            except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
                failure = ServerError(0, f"no answer from {url}: {getattr(error, 'reason', error)}")
            # Twice as long each time, and by chance, so that clients do not return all at once.
            pause = 0.1 * 2**attempt * random.random()
            temporary = failure.status in TEMPORARY and attempt < self.attempts
            if not temporary or time.monotonic() + pause > deadline:
                raise failure
            time.sleep(pause)
        raise AssertionError("unreachable")


def _message(body: bytes) -> str:
    """Returns the text of an error: TensorFlow Serving sends `{"error": "…"}`."""
    try:
        return json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace").strip()


def read_instances(path: str) -> list:
    """Returns the inputs that an array file holds: `.npy`, or `.npz` with the array `features`."""
    import numpy as np

    array = np.load(path, allow_pickle=False)
    array = array["features"] if isinstance(array, np.lib.npyio.NpzFile) else array
    examples_first = array.ndim in (2, 4)  # else one vector, or one picture
    return (array if examples_first else array[None]).tolist()


def main() -> int:
    parser = argparse.ArgumentParser(description="Ask a server for explanations over REST.")
    parser.add_argument("files", nargs="*", metavar="FILE", help="pictures, or .npy or .npz arrays")
    parser.add_argument("--server", default="http://localhost:8501")
    parser.add_argument("--model", default="birds")
    parser.add_argument("--version", type=int, help="(default: the newest)")
    parser.add_argument(
        "--signature", default="serving_default", help="for arrays (default: serving_default)"
    )
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds a request (default: 10)")
    parser.add_argument("--batch-size", type=int, default=16, help="inputs a request (default: 16)")
    parser.add_argument("--status", action="store_true", help="print the state of the versions")
    parser.add_argument("--metadata", action="store_true", help="print the signatures")
    options = parser.parse_args()
    client = Client(options.server, options.model, options.version, options.timeout)
    try:
        if options.status or options.metadata:
            print(json.dumps(client.status() if options.status else client.metadata(), indent=1))
        pictures = [path for path in options.files if Path(path).suffix not in (".npy", ".npz")]
        for begin in range(0, len(pictures), options.batch_size):
            batch = pictures[begin : begin + options.batch_size]
            answers = client.explain_pictures([Path(path).read_bytes() for path in batch])
            for path, answer in zip(batch, answers, strict=True):
                probability = f"{100 * answer['probability']:.1f} %"
                print(f"{path}: {answer['label']} ({probability}): {answer['explanation']}")
        for path in (path for path in options.files if path not in pictures):
            instances = read_instances(path)
            for begin in range(0, len(instances), options.batch_size):
                for answer in client.predict(
                    instances[begin : begin + options.batch_size], options.signature
                ):
                    print(json.dumps(answer, ensure_ascii=False))
    except ServerError as error:
        advice = ADVICE.get(error.status, "is the server running? see README.md" if not error.status else "")
        print(f"{error}\n{advice}".strip(), file=sys.stderr)
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
