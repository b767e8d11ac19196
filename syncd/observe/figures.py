"""The reference page of all figures, made from the figures themselves."""

from __future__ import annotations

from prometheus_client.metrics import MetricWrapperBase

from syncd.observe import metrics

OPENING = """# Figures

Generated from `syncd/observe/metrics.py`; `python -m syncd.config write` writes it anew.
Answered at `/metrics` of `monitor.listen` (of `http.listen` when that is not set), in the Prometheus text format; one process per node.
Labels come from short fixed lists: kinds, outcomes, HTTP routes, and names of tables of `syncd.toml`; never people, mailboxes or citizens.
Alerts and boards that use them: [alerts](../operations/alerts.md).

| name | type | labels | meaning |
|---|---|---|---|
"""  # noqa: E501 - one sentence a line
CLOSING = """
`syncd_cert_expiry_seconds` looks at the certificates that the configuration names (`ca_file`, `client_certificate`), not at those of the servers.
`syncd_remote_requests_total` counts calls of a calendar server's operations; one may cost several HTTP requests.
`up == 0` and `/startupz` tell a start that does not end; see [SyncdDown](../operations/alerts/down.md).
"""  # noqa: E501 - one sentence a line


def page() -> str:
    """The reference page, in Markdown."""
    found = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
    return OPENING + "".join(sorted(map(_row, found))) + CLOSING


def _row(figure: MetricWrapperBase) -> str:
    name = figure._name + ("_total" if figure._type == "counter" else "")
    labels = ", ".join(f"`{label}`" for label in figure._labelnames) or "–"
    return f"| `{name}` | {figure._type} | {labels} | {figure._documentation} |\n"
