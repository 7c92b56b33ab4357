"""METEOR 1.5: the reference implementation in Java, which comes with the wheel `pycocoevalcap`."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import fmean

from interpnet_tf.language.text import canonical
from interpnet_tf.metrics.tokenize import check_sentences

_SEGMENT = re.compile(r"^Segment \d+ score:\t(\S+)$", re.MULTILINE)


def meteor_unavailable() -> str | None:
    """Looks for what METEOR needs: a Java runtime, its jar and its table of paraphrases.

    Returns:
        `None` if METEOR can run, else the reason why it cannot and what to do.
    """
    jar = _jar()
    if jar is None:
        return "the jar of METEOR 1.5 is missing; pip install 'interpnet-tf[meteor]'"
    if not (jar.parent / "data" / "paraphrase-en.gz").is_file():
        return f"METEOR's data/paraphrase-en.gz is missing beside {jar}; reinstall pycocoevalcap"
    java = shutil.which("java")
    # On a Mac without Java, `java` is there and only says that there is none.
    if java is None or subprocess.run([java, "-version"], capture_output=True, check=False).returncode:
        return "there is no working `java` on the PATH; install a Java runtime (17 is known to work)"
    return None


def meteor(hypotheses: list[str], references: list[list[str]]) -> float:
    """Computes the mean of `meteor_sentences`, between 0 and 1, as the paper does.

    METEOR's own "Final score" is another number: it pools the statistics of all segments first.
    """
    return fmean(meteor_sentences(hypotheses, references))


def meteor_sentences(
    hypotheses: list[str], references: list[list[str]], timeout_seconds: float = 1800
) -> list[float]:
    """Computes METEOR of every hypothesis with `java -Xmx2G -jar meteor-1.5.jar ... -l en -norm -r N`.

    Loading the paraphrases takes some ten seconds, so score many sentences in one call.

    Args:
        hypotheses: one sentence an example.
        references: reference sentences of each example. METEOR wants the same number for all, so that
            examples with fewer repeat their last: the score is that of the best reference, and repeating
            one changes nothing.
        timeout_seconds: when to give up on Java.

    Returns:
        One value between 0 and 1 an example.

    Raises:
        ValueError: if an argument is wrong; see `check_sentences`.
        ChildProcessError: if METEOR cannot run or fails.
        TimeoutError: if it takes longer than `timeout_seconds`.

    References:

    - [Denkowski and Lavie, 2014](https://aclanthology.org/W14-3348)
    """
    check_sentences(hypotheses, references)
    reason = meteor_unavailable()
    if reason is not None:
        raise ChildProcessError(f"METEOR cannot run: {reason}")
    count = max(map(len, references))
    padded = [s for sentences in references for s in [*sentences, *sentences[-1:] * (count - len(sentences))]]
    with tempfile.TemporaryDirectory(prefix="meteor-") as folder:
        _write_lines(Path(folder, "hypotheses"), hypotheses)
        _write_lines(Path(folder, "references"), padded)
        output = _run(
            ["hypotheses", "references", "-l", "en", "-norm", "-r", str(count)], folder, timeout_seconds
        )
    scores = [float(score) for score in _SEGMENT.findall(output)]
    if len(scores) != len(hypotheses):
        raise ChildProcessError(
            f"METEOR scored {len(scores)} of {len(hypotheses)} sentences; it wrote: {output[-2000:]}"
        )
    return scores


def _jar() -> Path | None:
    # find_spec finds the package without running its code.
    package = importlib.util.find_spec("pycocoevalcap")
    for folder in (package and package.submodule_search_locations) or ():
        jar = Path(folder, "meteor", "meteor-1.5.jar").resolve()
        if jar.is_file():
            return jar
    return None


def _write_lines(path: Path, sentences: list[str]) -> None:
    # One sentence a line: the canonical form has no line break, which would shift all that follow.
    lines = [canonical(sentence) + "\n" for sentence in sentences]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _run(arguments: list[str], folder: str, timeout_seconds: float) -> str:
    """Runs the jar in `folder` and returns what it prints."""
    with subprocess.Popen(
        ["java", "-Xmx2G", "-Dfile.encoding=UTF-8", "-jar", str(_jar()), *arguments],
        cwd=folder,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            output, complaints = process.communicate(timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(
                f"METEOR was stopped after {timeout_seconds:g} seconds; raise timeout_seconds or score fewer"
            ) from None
        finally:
            # subprocess.run would not wait for Java's end after Ctrl-C, and leave a zombie.
            process.kill()
            process.wait()
    if process.returncode:
        raise ChildProcessError(
            f"METEOR's Java process ended with exit status {process.returncode}: "
            f"{(complaints or output).strip()[-2000:]}"
        )
    return output
