"""Files appear complete or not at all."""

import errno

import pytest

from interpnet_tf.support.atomic import replacing, write_atomically


def test_text_and_bytes_in_folders_that_are_made(tmp_path):
    write_atomically(tmp_path / "a" / "b" / "text", "größe\n")
    assert (tmp_path / "a" / "b" / "text").read_bytes() == b"gr\xc3\xb6\xc3\x9fe\n"
    write_atomically(str(tmp_path / "bytes"), b"\xff\x00")
    assert (tmp_path / "bytes").read_bytes() == b"\xff\x00"


def test_the_new_file_takes_the_place_at_the_end(tmp_path):
    path = tmp_path / "birds.keras"
    path.write_text("old")
    with replacing(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".keras"
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_of_writing_names_the_file(tmp_path):
    path = tmp_path / "birds.txt"
    with pytest.raises(OSError, match=r"No space left on device: '.*/birds\.txt'"), replacing(path):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "birds.txt"
    path.write_text("old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
