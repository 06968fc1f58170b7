"""The HTML page of a load test: one file, no script, nothing loaded from elsewhere."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from lesionlens.drawing import ACCENT, INK, LINE, SOFT, WARN, drawing
from lesionlens.loadtest.drive import Plan
from lesionlens.loadtest.patterns import clients_at
from lesionlens.loadtest.summary import Summary
from lesionlens.version import __version__

__all__ = ["load_page"]


def load_page(plan: Plan, summary: Summary) -> str:
    """Return the page.

    Args:
        plan: What was done.
        summary: What came of it.
    """
    environment = Environment(
        loader=PackageLoader("lesionlens.loadtest"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["milliseconds"] = lambda seconds: f"{1000 * seconds:,.0f} ms"
    return environment.get_template("load.html.j2").render(
        plan=plan, summary=summary, version=__version__, figures=[_latency(summary), _throughput(plan, summary)]
    )


def _latency(summary: Summary) -> Markup:
    drawn: list[Markup] = []
    with drawing("Latency over time", (8.5, 3.6), drawn) as figure:
        axes = figure.add_subplot(xlabel="seconds", ylabel="milliseconds")
        some = [i for i in summary.intervals if i.p50 is not None]
        middles = [i.begins for i in some]
        axes.plot(middles, [1000 * (i.p99 or 0.0) for i in some], color=WARN, linestyle="--", label="99th percentile")
        axes.plot(middles, [1000 * (i.p50 or 0.0) for i in some], color=ACCENT, label="median")
        axes.set_ylim(bottom=0)
        if some:
            axes.legend(loc="upper left")
    return drawn[0]


def _throughput(plan: Plan, summary: Summary) -> Markup:
    drawn: list[Markup] = []
    with drawing("Throughput over time", (8.5, 3.6), drawn) as figure:
        axes = figure.add_subplot(xlabel="seconds", ylabel="a second")
        begins = [i.begins for i in summary.intervals]
        axes.plot(begins, [i.answered for i in summary.intervals], color=ACCENT, label="answered")
        axes.plot(begins, [i.turned_away for i in summary.intervals], color=SOFT, linestyle="-.", label="turned away")
        if summary.failed:
            axes.plot(begins, [i.failed for i in summary.intervals], color=WARN, linestyle="--", label="failed")
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper left")
        clients = axes.twinx()
        clients.grid(visible=False)
        clients.set_ylabel("clients")
        seconds = min(plan.seconds, summary.seconds)  # a test that ends after so many requests may have no other end
        moments = [seconds * k / 400 for k in range(400)]
        counts = [clients_at(plan.pattern, t, plan.seconds, plan.clients) for t in moments]
        clients.fill_between(moments, counts, color=LINE, alpha=0.5, step="post")
        clients.set_ylim(0, 2 * plan.clients)
        clients.tick_params(labelcolor=INK)
        axes.set_zorder(clients.get_zorder() + 1)  # the curves lie over the clients' area
    return drawn[0]
