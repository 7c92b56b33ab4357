"""A hook of MkDocs: the site has the paths of the repository, so that a relative link works in both."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

# What is read on the site and lies beside the code that it is about, not in docs/.
ELSEWHERE = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "benchmarks/README.md",
    "benchmarks/scaling.png",
    "export/README.md",
    "export/phone/README.md",
    "notebooks/train_and_explain.ipynb",
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Moves the files of docs/ from the top of the site to its folder docs/, and adds those of elsewhere."""
    for file in list(files):
        if file.src_dir == config.docs_dir:  # not the theme's
            files.remove(file)
            path = {"src_uri": f"docs/{file.src_uri}", "abs_src_path": file.abs_src_path}
            files.append(File.generated(config, **path, inclusion=file.inclusion))
    root = Path(config.config_file_path).parent
    for path in ELSEWHERE:
        files.append(File.generated(config, path, abs_src_path=str(root / path)))
    return files
