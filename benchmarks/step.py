"""One step of a benchmark as a program: `python -m benchmarks.step module:function '{"arguments": …}'`.

The last line on stdout is JSON: seconds, peak_mb and what the function returned. A process for each step keeps one
contender's memory apart from another's.
"""

import importlib
import json
import os
import sys
import time
from typing import Any

import django

from benchmarks.memory import MemoryWatch


def main(function: str, arguments: str) -> None:
    """Set Django up, call the function, print what it took."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    module, name = function.split(":")
    call = getattr(importlib.import_module(module), name)
    memory = MemoryWatch()
    started = time.perf_counter()
    result: Any = call(**json.loads(arguments))
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak_mb": memory.peak_mb(), "result": result}))


if __name__ == "__main__":
    main(*sys.argv[1:])
