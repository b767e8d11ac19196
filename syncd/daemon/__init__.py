"""The composition root and lifetime: build, start, reload, stop; the only place that knows everybody."""
