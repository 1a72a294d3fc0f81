"""Numbers for Prometheus on a port of their own, off by default; no label is a person, area or file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dashboard import logs

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

# Seconds: a page takes tens of milliseconds, a download at most a few seconds.
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class _Meters:
    """What is counted as it happens, and the server that tells it."""

    def __init__(self) -> None:
        # Only where somebody asks for numbers: a tenth of a second of imports.
        from prometheus_client import (
            CollectorRegistry,
            Counter,
            Histogram,
            ProcessCollector,
            disable_created_metrics,
        )

        # When each number began to be counted: as many lines again, and the process tells its start.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "dashboard_requests", "Requests answered, by kind of address and status.",
            ["route", "status"], registry=self.registry,
        )  # fmt: skip
        self.request_seconds = Histogram(
            "dashboard_request_seconds", "How long an answer took, by kind of address.",
            ["route"], buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.run_seconds = Histogram(
            "dashboard_script_run_seconds", "How long a run of a page, or of a part of it, took.",
            ["page", "part"], buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.errors = Counter(
            "dashboard_errors", "Errors with an id in the log, by what failed: page, request, work.",
            ["of"], registry=self.registry,
        )  # fmt: skip
        ProcessCollector(registry=self.registry)
        self.registry.register(_AskedFor())


class _AskedFor:
    """What is looked up when the numbers are asked for."""

    def describe(self) -> list[Metric]:
        """Nothing: else all would be looked up once at the start."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Sessions, cached answers, the pool, and what the database knows."""
        yield from _of_streamlit()
        yield from _of_the_database()


def _of_streamlit() -> Iterator[Metric]:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
    from streamlit import runtime

    from dashboard import data

    if not runtime.exists():
        return
    told: Any = runtime.get_instance().stats_mgr.get_stats(["active_sessions", "cache_lookups"])
    sessions = GaugeMetricFamily("dashboard_open_sessions", "Pages that are open in a browser.")
    for each in told.get("active_sessions", ()):
        sessions.add_metric([], each.value)
    yield sessions
    answers = CounterMetricFamily(
        "dashboard_answers", "Answers by function: hit from memory, miss worked out.",
        labels=["cache", "result"],
    )  # fmt: skip
    for one in told.get("cache_lookups", ()):
        answers.add_metric([one.labels["cache"], one.labels["result"]], one.value)
    for result, count in zip(("hit", "miss"), data.lookups(), strict=True):
        answers.add_metric(["dashboard.data._shared", result], count)
    yield answers


def _of_the_database() -> Iterator[Metric]:
    from prometheus_client.metrics_core import GaugeMetricFamily

    from dashboard import health
    from dashboard.data import engine

    ready = GaugeMetricFamily("dashboard_ready", "Whether /readyz says so: 1 or 0.")
    ready.add_metric([], float(health.readiness()[0]))
    yield ready
    in_use = getattr(engine().pool, "checkedout", None)
    if in_use is not None:
        pool = GaugeMetricFamily("dashboard_database_connections", "Connections in use.")
        pool.add_metric([], in_use())
        yield pool
    found = health.ask_database()
    # Without an answer there are no numbers: none is not nought.
    if found is None:
        return
    worker = GaugeMetricFamily("dashboard_worker", "Whether a worker loads files: 1 or 0.")
    worker.add_metric([], float(found.worker_at_work))
    yield worker
    jobs = GaugeMetricFamily(
        "dashboard_jobs", "Files that were offered, by state.", labels=["state"]
    )
    for state, count in found.jobs.items():
        jobs.add_metric([state], count)
    yield jobs
    loads = GaugeMetricFamily("dashboard_loads", "Loads, by dataset.", labels=["dataset"])
    for dataset, count in found.loads.items():
        loads.add_metric([dataset], count)
    yield loads


_METERS: _Meters | None = None
_SERVER: Any = None


def start(port: int, address: str) -> None:
    """Count from now on, and tell it at a port; nothing where the port is 0.

    A port that is taken is said in the log, and the pages go on.
    """
    global _METERS, _SERVER
    if not port or _METERS is not None:
        return
    _METERS = _Meters()
    _time_runs()
    try:
        _SERVER = _serve(port, address, _METERS.registry)
    except OSError as error:
        logs.log.error(
            "no metrics: metrics_port or metrics_address cannot be used", **logs.told(error)
        )


def _serve(port: int, address: str, registry: CollectorRegistry) -> Any:
    from prometheus_client import start_http_server

    return start_http_server(port, address, registry)[0]


def stop() -> None:
    """Free the port."""
    global _METERS, _SERVER
    if _SERVER is not None:
        _SERVER.shutdown()
        _SERVER.server_close()
    _METERS = _SERVER = None


def count_request(route: str, status: int, seconds: float) -> None:
    """Count an answer; `route` is a template, never an address."""
    if _METERS is not None:
        _METERS.requests.labels(route, str(status)).inc()
        _METERS.request_seconds.labels(route).observe(seconds)


def count_error(of: str) -> None:
    """Count an error that has an id in the log."""
    if _METERS is not None:
        _METERS.errors.labels(of).inc()


def _time_runs() -> None:
    """Time every run of a page, and of a fragment of one, which no script of ours sees whole."""
    from streamlit.runtime.scriptrunner.script_runner import ScriptRunner

    run = ScriptRunner._run_script
    if hasattr(run, "untimed"):
        return

    def timed(runner: Any, asked: Any) -> None:
        began = time.perf_counter()
        try:
            run(runner, asked)
        finally:
            if _METERS is not None:
                part = "fragment" if asked.fragment_id_queue else "page"
                seconds = time.perf_counter() - began
                _METERS.run_seconds.labels(_page_of(runner), part).observe(seconds)

    timed.untimed = run  # type: ignore[attr-defined]
    ScriptRunner._run_script = timed  # type: ignore[method-assign, assignment]


def _page_of(runner: Any) -> str:
    """The page's own name, as the list of pages has it: never an address somebody made up."""
    manager = runner._pages_manager
    page = manager.get_pages().get(manager.current_page_script_hash, {})
    return page.get("url_pathname") or "this-week"
