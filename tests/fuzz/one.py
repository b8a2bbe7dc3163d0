"""`python -m tests.fuzz.one TARGET SEEDS FINDINGS [options of libFuzzer]`: one target under atheris, until it fails or its time is over."""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["services", "shared"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Never returns: libFuzzer ends the process, with 0 when nothing was found."""
    name, corpus, findings, *options = sys.argv[1:]
    target = TARGETS[name]
    for number, seed in enumerate(target.seeds()):
        Path(corpus, f"seed-{number}").write_bytes(seed)
    atheris.Setup(["fuzz", corpus, f"-artifact_prefix={findings}/", *options], target.take)
    atheris.Fuzz()


main()
