"""Metrics: one definition of each, for OpenTelemetry and for Prometheus.

::

    from dgspay.metrics.opentelemetry import OpenTelemetryMetrics, observe

    dgs = AsyncDGSPay(..., hooks=[OpenTelemetryMetrics()])   # calls, their duration, retries

Names follow the style of OpenTelemetry's semantic conventions, and a scraper of Prometheus finds
the same names whether they come from here or from OpenTelemetry's own exporter. Labels are few and
bounded: a route template, an outcome, a state; never an id, a reference or an account.
"""
