"""Requests that arrive together run together, within limits."""

import asyncio
import io
import itertools
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from interpnet_tf.serving import batching, pictures
from interpnet_tf.serving.batching import Batcher
from interpnet_tf.serving.errors import ServingError
from interpnet_tf.serving.metrics import Metrics


class Doubling:
    """Stands in for a signature: doubles rows, remembers its batches, and refuses negative rows."""

    name = "doubling"
    inputs = ("x",)

    def __init__(self, is_batched=True, seconds=0.0):
        self.is_batched, self.seconds, self.batches = is_batched, seconds, []
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.may_end.set()

    def check(self, arrays):
        return len(arrays["x"])

    def __call__(self, arrays):
        time.sleep(self.seconds)
        self.begun.set()
        self.may_end.wait(60)
        self.batches.append(len(arrays["x"]))
        if (arrays["x"] < 0).any():
            raise ValueError("negative")
        return {"y": 2 * arrays["x"]}


def run_all(signature, requests, **options):
    """Sends all requests at once; returns what each got."""
    options = {"max_batch_size": 8, "timeout": 0.05, "max_queued_rows": 100, "threads": 1} | options

    async def work():
        batcher = Batcher(**{"enabled": True, "metrics": Metrics()} | options)
        asked = [batcher.run(signature, {"x": np.array(request, float)}) for request in requests]
        results = await asyncio.gather(*asked, return_exceptions=True)
        await batcher.close()
        return results

    return asyncio.run(work())


def values(results):
    return [result["y"].tolist() for result in results]


def test_each_gets_its_own_rows():
    signature = Doubling()
    results = run_all(signature, [[1], [2, 3], [4, 5, 6]])
    assert values(results) == [[2], [4, 6], [8, 10, 12]]
    assert signature.batches == [6]


def test_a_full_batch_does_not_wait():
    signature = Doubling()
    begin = time.monotonic()
    run_all(signature, [[1]] * 8, timeout=30)
    assert time.monotonic() - begin < 10
    assert signature.batches == [8]


def test_batches_stay_within_the_limit():
    signature = Doubling()
    run_all(signature, [[1] * 3] * 5)
    assert signature.batches == [6, 6, 3]


def test_a_busy_server_batches_without_waiting():
    signature = Doubling()
    signature.may_end.clear()

    async def work():
        batcher = Batcher(8, 0.0, 100, 1, True, Metrics())
        first = asyncio.create_task(batcher.run(signature, {"x": np.ones(1)}))
        await asyncio.to_thread(signature.begun.wait, 60)
        others = [asyncio.create_task(batcher.run(signature, {"x": np.ones(1)})) for _ in range(5)]
        await asyncio.sleep(0)
        signature.may_end.set()
        await asyncio.gather(first, *others)
        await batcher.close()

    asyncio.run(work())
    assert signature.batches == [1, 5]


@pytest.mark.parametrize(("is_batched", "enabled"), [(False, True), (True, False)])
def test_alone(is_batched, enabled):
    signature = Doubling(is_batched)
    assert values(run_all(signature, [[1], [2]], enabled=enabled)) == [[2], [4]]
    assert signature.batches == [1, 1]


def test_only_like_shapes_share_a_batch():
    signature = Doubling()
    results = run_all(signature, [[[1, 2]], [[1, 2, 3]], [[3, 4]]])
    assert values(results) == [[[2, 4]], [[2, 4, 6]], [[6, 8]]]
    assert sorted(signature.batches) == [1, 2]


def test_one_that_fails_does_not_spoil_the_others():
    first, wrong, last = run_all(Doubling(), [[1], [-1], [2]])
    assert values([first, last]) == [[2], [4]]
    assert isinstance(wrong, ValueError)


def test_limits():
    (result,) = run_all(Doubling(), [[1] * 9])
    assert isinstance(result, ServingError)
    assert result.http_status == 400
    results = run_all(Doubling(seconds=0.01), [[1] * 8] * 4, max_queued_rows=16)
    refused = [result for result in results if isinstance(result, ServingError)]
    assert [error.http_status for error in refused] == [503, 503]
    assert "try again later" in refused[0].message


def test_who_gives_up_is_not_run():
    signature = Doubling()

    async def work():
        batcher = Batcher(8, 0.05, 100, 1, True, Metrics())
        asked = [asyncio.create_task(batcher.run(signature, {"x": np.ones(1)})) for _ in range(3)]
        await asyncio.sleep(0)
        asked[1].cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        await batcher.close()

    asyncio.run(work())
    assert signature.batches == [2]


class Reading:
    """Stands in for a signature that reads pictures; remembers its batches, and may wait with large ones."""

    name = "reading"
    inputs = ("image_bytes",)
    is_batched = True

    def __init__(self):
        self.batches, self.large_ones, self.go_on = [], [], threading.Event()
        self.go_on.set()

    def check(self, arrays):
        return len(arrays["image_bytes"])

    def __call__(self, arrays):
        self.batches.append(len(arrays["image_bytes"]))
        return {"length": np.array([len(data) for data in arrays["image_bytes"]])}

    def beside(self, arrays):
        self.large_ones.append(len(arrays["image_bytes"]))
        assert self.go_on.wait(30)
        return {"length": np.array([len(data) for data in arrays["image_bytes"]])}


def files(*sizes):
    """Files of pictures of these heights, 10 pixels wide."""
    result = np.empty(len(sizes), object)
    for index, height in enumerate(sizes):
        file = io.BytesIO()
        Image.new("RGB", (10, height)).save(file, "PNG")
        result[index] = file.getvalue()
    return result


@pytest.fixture
def few_pixels(monkeypatch):
    monkeypatch.setattr(batching, "MOST_PIXELS", 1000)
    monkeypatch.setattr(batching, "LIGHT_PIXELS", 400)


@pytest.mark.usefixtures("few_pixels")
def test_pictures_run_in_parts_of_bounded_size():
    signature = Reading()
    asked = files(50, 50, 60, 30, 200, 10)  # 500, 500 | 600, 300 | 2000 | 100 pixels

    async def work():
        batcher = Batcher(8, 0.0, 100, 1, True, Metrics())
        answer = await batcher.run(signature, {"image_bytes": asked})
        await batcher.close()
        return answer

    assert asyncio.run(work())["length"].tolist() == [len(data) for data in asked]
    assert signature.large_ones == [2, 2, 1]
    assert signature.batches == [1]  # the last part is light


@pytest.mark.usefixtures("few_pixels")
def test_requests_with_small_pictures_share_batches_of_bounded_size():
    signature = Reading()

    async def work():
        batcher = Batcher(8, 0.05, 100, 1, True, Metrics())
        await asyncio.gather(*[batcher.run(signature, {"image_bytes": files(40)}) for _ in range(5)])
        await batcher.close()

    asyncio.run(work())
    assert signature.batches == [2, 2, 1]


@pytest.mark.usefixtures("few_pixels")
def test_large_pictures_hold_nobody_up():
    signature = Reading()
    signature.go_on.clear()

    async def work():
        batcher = Batcher(8, 0.0, 100, 1, True, Metrics())
        large = asyncio.create_task(batcher.run(signature, {"image_bytes": files(300, 300)}))
        while not signature.large_ones:
            await asyncio.sleep(0.001)
        await asyncio.wait_for(batcher.run(signature, {"image_bytes": files(5)}), 30)
        assert not large.done()
        signature.go_on.set()
        await large
        await batcher.close()

    asyncio.run(work())
    assert signature.batches == [1]


@pytest.mark.parametrize("data", [b"", b"hello", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused_before_it_runs(data):
    signature = Reading()

    async def work():
        batcher = Batcher(8, 0.0, 100, 1, True, Metrics())
        asked = np.concatenate([files(5), np.array([data], object)])
        with pytest.raises(ServingError, match="picture 1 is not read"):
            await batcher.run(signature, {"image_bytes": asked})
        await batcher.close()

    asyncio.run(work())
    assert signature.batches == []


@given(st.lists(st.integers(0, 100), min_size=1, max_size=20), st.integers(1, 150))
def test_parts_are_whole_and_bounded(pixels, most):
    parts = [pixels[part] for part in pictures.slices(pixels, most)]
    assert list(itertools.chain(*parts)) == pixels
    assert all(part and (sum(part) <= most or len(part) == 1) for part in parts)
    # no part could have taken the first of the next
    assert all(sum(part) + after[0] > most for part, after in itertools.pairwise(parts))
