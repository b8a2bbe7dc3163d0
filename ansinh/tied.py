"""Runs a module that ends when its supervisor is gone: `python -m ansinh.tied <descriptor> -m <module> [arguments]`.

A supervisor that is killed cannot end its children, and a service left alone goes on polling and holding its advisory lock. Each child
therefore holds the reading end of a pipe whose writing end only the supervisor has: the end of the pipe is the end of the supervisor.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from threading import Thread


def _end_with(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main(arguments: list[str]) -> None:
    """Watch the pipe, then become the module."""
    descriptor, _, module, *rest = arguments
    Thread(target=_end_with, args=(int(descriptor),), daemon=True).start()
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
