"""The tables of `syncd.toml` about how the service is watched over and kept safe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from syncd.config.sections import HttpSection
from syncd.section import Section


class MonitorSection(Section):
    """Where health and figures are answered for programs that watch over the service; not for citizens."""

    listen: Annotated[
        str,
        Field(
            description="Address and port of /livez, /readyz, /startupz and /metrics, apart from http.listen; empty: "
            "they are answered there.",
            examples=["127.0.0.1:8081"],
        ),
    ] = ""

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        return value and HttpSection.address(value)

    @property
    def http(self) -> HttpSection | None:
        """The listener, if it is one of its own."""
        return HttpSection(listen=self.listen) if self.listen else None


class BackupSection(Section):
    """Where backups are kept: those of `syncd db backup` and those made before an upgrade."""

    folder: Annotated[
        Path | None,
        Field(description="Folder of the backups; unset: `backups` beside the database, or in the state directory."),
    ] = None
    keep_days: Annotated[
        int,
        Field(
            ge=1,
            le=35,
            description="Older ones are removed by the next backup; they hold citizens' data, so not for long.",
        ),
    ] = 14
