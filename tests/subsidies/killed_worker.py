"""A worker that is killed while it builds a batch: `JOB=… STEP=… python -m tests.subsidies.killed_worker`.

JOB: id of the job. STEP: at which report of progress, counted from 0; `end` for after the build, before the job is
told to be over.
"""

import os
import signal

import django


def main(job_id: str, step: str) -> None:
    """Do the job until the step."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from operations.services import job as jobs
    from subsidies import batch_tasks  # noqa: F401  # registers the handler

    seen = 0

    def report(self: jobs.Progress, *given: object) -> None:
        nonlocal seen
        if str(seen) == step:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1

    def finish(*given: object, **named: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    jobs.Progress.report = report  # type: ignore[assignment]  # the test's own
    jobs._finish = finish
    jobs.job_run(job_id=job_id)


if __name__ == "__main__":
    main(os.environ["JOB"], os.environ["STEP"])
