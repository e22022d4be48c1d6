"""Two at once: threads that start together, and a place after the last read where they meet before either writes.

Without the lock both reach the place, so that neither sees what the other writes. With it the second never does: the
first goes on when it has waited in vain.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, ParamSpec, TypeVar

from django.db import connection

#: Seconds to wait for what certainly comes: only a test that fails waits as long.
SURELY: Final = 30.0
#: Seconds to wait for what a lock keeps away.
IN_VAIN: Final = 1.0

Given = ParamSpec("Given")
Found = TypeVar("Found")


def at_once(*steps: Callable[[], object]) -> list[Any]:
    """Take the steps in threads that start together; per step what it returned or raised."""
    results: list[Any] = [None] * len(steps)
    start = threading.Barrier(len(steps))

    def take(place: int) -> None:
        try:
            start.wait()
            results[place] = steps[place]()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(place,)) for place in range(len(steps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def raised(results: list[Any]) -> list[Exception]:
    """What the steps of `at_once` raised."""
    return [result for result in results if isinstance(result, Exception)]


def met_before(write: Callable[Given, Found], wait: float) -> Callable[Given, Found]:
    """The function, before which two threads meet if nothing keeps them apart for so long."""
    meeting = threading.Barrier(2, timeout=wait)

    def meet_and_write(*args: Given.args, **given: Given.kwargs) -> Found:
        with suppress(threading.BrokenBarrierError):
            meeting.wait()
        return write(*args, **given)

    return meet_and_write


def met_after(read: Callable[Given, Found], wait: float) -> Callable[Given, Found]:
    """The function, after which two threads meet if nothing keeps them apart for so long."""
    meeting = threading.Barrier(2, timeout=wait)

    def read_and_meet(*args: Given.args, **given: Given.kwargs) -> Found:
        found = read(*args, **given)
        with suppress(threading.BrokenBarrierError):
            meeting.wait()
        return found

    return read_and_meet
