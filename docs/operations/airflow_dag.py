"""An Airflow DAG: plan at two, verify, and only then hand the plan on. Exit codes decide what a retry can mend."""

from __future__ import annotations

import datetime as dt
import subprocess

from airflow.decorators import dag, task
from airflow.exceptions import AirflowException, AirflowFailException

PLAN = "/srv/plans/{{ ds }}"


@dag(schedule="0 2 * * *", start_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), catchup=False, max_active_runs=1)
def allocation() -> None:
    """Plan, verify."""

    @task(retries=2, retry_delay=dt.timedelta(minutes=5), execution_timeout=dt.timedelta(minutes=70))
    def plan(folder: str) -> str:
        command = ["allocator", "plan", "/srv/network", "-o", folder, "--deadline", "45m", "--resume", "--log", "json"]
        code = subprocess.run(command, check=False).returncode
        if code in (0, 3):  # 3: a plan, but the deadline came before the gap
            return folder
        if code in (1, 2):  # a broken audit, or bad input: the same again gives the same again
            raise AirflowFailException(f"exit code {code}: see the log")
        raise AirflowException(f"exit code {code}: held, interrupted or killed; try again")

    @task
    def verify(folder: str) -> None:
        subprocess.run(["allocator", "verify", folder], check=True)

    verify(plan(PLAN))


allocation()
