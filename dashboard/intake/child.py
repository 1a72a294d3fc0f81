"""The process that reads one file: few rights, bounded, and nothing to lose.

It gets the file and what the reader needs to know on standard input, and answers with the
messages of `staged`, each after its length. It knows no database.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import BinaryIO

# One thread is enough here, and each would claim memory under the limit.
os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1"})
# Shapes are read without GDAL; were it ever loaded, not with the drivers that open other files.
os.environ["GDAL_SKIP"] = "OGR_VRT,GDALG"


def limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Refuse this process more memory or time, where the system can (Linux and macOS)."""
    with suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
        # It writes no file, not even one that tells how it died.
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(requests: BinaryIO, answers: BinaryIO) -> None:
    """Read one request, and write the messages of its file."""
    import pickle

    # From the process that started this one: the file's own bytes are never unpickled.
    request = pickle.loads(requests.read(int.from_bytes(requests.read(8), "big")))  # noqa: S301  # nosec B301
    limit(request.memory_bytes, request.cpu_seconds)

    from dashboard import intake
    from dashboard.intake import staged
    from dashboard.intake.problems import Problem, RefusedError

    def send(message: bytes) -> None:
        answers.write(len(message).to_bytes(8, "big") + message)
        answers.flush()

    try:
        source = request.source(requests)
        if request.is_first_round and intake.needs_lookups(source):
            send(staged.later())
            return
        for message in staged.encode(
            intake.read(source, request.known, dataset=request.dataset, mapping=request.mapping)
        ):
            send(message)
    except RefusedError as error:
        send(staged.encode_refusal(error))
    except MemoryError:
        rule = "needs more memory to be read than any known file: split it, or export it again"
        send(staged.encode_refusal(RefusedError(request.name, [Problem(rule)])))


if __name__ == "__main__":
    answer(sys.stdin.buffer, sys.stdout.buffer)
