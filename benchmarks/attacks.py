"""What harm clients may mean to `interpnet serve`; `server_under_attack.py` measures what others notice.

Each attack is given the addresses of REST and gRPC, on loopback, says when it is ready, and goes on until it
is ended.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Callable

MIB = 2**20
BODY = 32 * MIB - 1000  # bytes; the server takes 32 MiB
PREDICT = "/v1/models/model:predict"

Attack = Callable[[str, str], None]


def ready() -> None:
    """Says that the harm begins now."""
    print("ready", flush=True)


def post(address: str, body: bytes) -> None:
    """Sends a body, and takes what comes."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request("POST", PREDICT, body)
        connection.getresponse().read()


def bodies(*make: Callable[[], bytes], clients: int = 2) -> Attack:
    """Returns an attack that sends bodies again and again, from some clients."""

    def attack(rest: str, _: str) -> None:
        texts = [one() for one in make]

        def send() -> None:
            while True:
                for text in texts:
                    post(rest, text)

        ready()
        in_threads(clients, send)

    return attack


def in_threads(count: int, work: Callable[[], None]) -> None:
    """Runs something several times at once."""
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def repeated(text: bytes) -> bytes:
    """Returns the largest body that repeats a value as rows."""
    return b'{"instances": [' + b",".join([text] * (BODY // (len(text) + 1))) + b"]}"


def connections(count: int, first: bytes, then: bytes = b"") -> Attack:
    """Returns an attack of connections that send something, and then something more each half second."""

    def attack(rest: str, _: str) -> None:
        opened = []
        host, port = rest.split(":")
        ready()
        while True:
            for _ in range(count - len(opened)):
                with contextlib.suppress(OSError):
                    opened.append(socket.create_connection((host, int(port)), timeout=1))
                    opened[-1].sendall(first)
            for connection in list(opened):
                try:
                    connection.sendall(then)
                    connection.setblocking(False)
                    if not then and connection.recv(1, socket.MSG_PEEK) == b"":
                        raise ConnectionError("closed")
                except BlockingIOError:
                    continue
                except OSError:
                    opened.remove(connection)
            time.sleep(0.5)

    return attack


def large_answers(rest: str, _: str) -> None:
    """Asks for much, and reads nothing."""
    body = json.dumps({"signature_name": "talk", "instances": [[1.1] * 8] * 64}).encode()
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    connections(12, head + body)(rest, _)


def pictures(*files: Callable[[], bytes], rows: int) -> Attack:
    """Returns an attack of requests with pictures."""

    def attack(rest: str, address: str) -> None:
        import grpc
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

        stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(address))
        requests = []
        for make in files:
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = "model", "serving_bytes"
            request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([make()] * rows))
            requests.append(request)

        def send() -> None:
            while True:
                for request in requests:
                    with contextlib.suppress(grpc.RpcError):
                        stub.Predict(request, timeout=30)

        ready()
        in_threads(2, send)

    return attack


def picture(width: int, height: int, kind: str, **options: object) -> Callable[[], bytes]:
    """Returns a function that makes a file of a grey picture."""

    def make() -> bytes:
        from PIL import Image

        file = io.BytesIO()
        Image.new("RGB", (width, height), (90, 90, 90)).save(file, kind, **options)
        return file.getvalue()

    return make


def messages(make: Callable[[], bytes], clients: int = 2) -> Attack:
    """Returns an attack of gRPC messages, as bytes."""

    def attack(_: str, address: str) -> None:
        import grpc

        message = make()

        def send() -> None:
            options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
            call = grpc.insecure_channel(address, options).unary_unary(
                "/tensorflow.serving.PredictionService/Predict"
            )
            while True:
                with contextlib.suppress(grpc.RpcError):
                    call(message, timeout=30)

        ready()
        in_threads(clients, send)

    return attack


def varint(number: int) -> bytes:
    """Returns a number as protobuf writes it."""
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])


def field(number: int, content: bytes) -> bytes:
    """Returns a field of a message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def one_string_for_all() -> bytes:
    """Returns a request with one picture, which its shape says is 64."""
    shape = field(2, field(2, b"\x08" + varint(64)))
    tensor = field(2, field(1, b"image_bytes") + field(2, b"\x08\x07" + shape + field(8, bytes(30 * MIB))))
    return field(1, field(1, b"model") + field(3, b"serving_bytes")) + tensor


def silent_calls(_: str, address: str) -> None:
    """Begins calls, and sends no message."""
    import grpc

    def wait() -> None:
        forever = threading.Event()
        channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
        call = channel.stream_unary("/tensorflow.serving.PredictionService/Predict")
        while True:
            asked = [call.future(iter(forever.wait, None)) for _ in range(10)]
            for one in asked:
                with contextlib.suppress(grpc.RpcError):
                    one.result(60)

    ready()
    in_threads(10, wait)


ATTACKS: dict[str, Attack] = {
    "none": lambda rest, grpc: ready(),
    "19 MiB of numbers": bodies(lambda: json.dumps({"instances": [[0.5] * 16] * 250_000}).encode()),
    "empty lists": bodies(lambda: repeated(b"[]")),
    "deep, and long numbers": bodies(lambda: b"[" * BODY, lambda: b'{"instances": [' + b"7" * BODY + b"]}"),
    "many large bodies": bodies(lambda: b'{"instances": [{"b64": "' + b"A" * BODY + b'"}]}', clients=20),
    "half-sent headers": connections(600, b"GET /healthz HTTP/1.1\r\nX: "),
    "slow headers": connections(300, b"GET /healthz HTTP/1.1\r\nX: ", b"x"),
    "slow bodies": connections(
        300, f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 9999\r\nHost: x\r\n\r\n".encode(), b"["
    ),
    "unread answers": large_answers,
    "one string for 64": messages(one_string_for_all),
    "2 million map entries": messages(
        lambda: b"".join(field(2, field(1, b"%d" % i)) for i in range(2_000_000))
    ),
    "16 million dimensions": messages(
        lambda: field(2, field(1, b"x") + field(2, b"\x08\x01" + field(2, b"\x12\0" * (BODY // 2))))
    ),
    "large messages": messages(lambda: field(1, bytes(BODY)), clients=6),
    "silent calls": silent_calls,
    "tall picture": pictures(picture(1, 1_000_000, "PNG"), rows=64),
    "67 megapixels": pictures(picture(8192, 8192, "PNG"), rows=1),
    "64 x 12 megapixels": pictures(
        picture(4000, 3000, "PNG"), picture(4000, 3000, "JPEG", progressive=True), rows=64
    ),
    "a gigapixel": pictures(picture(30_000, 30_000, "PNG"), rows=1),
}
