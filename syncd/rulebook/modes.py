"""Changes a team's mode in the text of rules, and nothing else in their meaning."""

from __future__ import annotations

from syncd.errors import ConfigError
from syncd.model.directory import Directory
from syncd.model.policy import Mode
from syncd.rulebook.export import export
from syncd.rulebook.parse import read
from syncd.rulebook.sections import RulesFile
from syncd.section import one_of


def with_mode(text: str, team: str, mode: Mode, directory: Directory) -> str:
    """The rules with *team* in *mode*; comments are not kept, the other keys of the team are.

    A team that was new keeps what newness meant: marked time only, and its daily cap.

    :raises ConfigError: nobody is in such a team.
    """
    teams = {name for person in directory.caseworkers.values() for name in person.teams}
    if team not in teams:
        raise ConfigError("rules", [one_of("team", team, teams)])
    rules = read(text)
    tables = rules.model_dump(by_alias=True, exclude_unset=True)
    listed = tables.setdefault("teams", {})
    # A team without a table has everyone's policy, which its own table must say then.
    before = listed.get(team, tables.get("everyone", {}))
    return export(RulesFile.model_validate({**tables, "teams": {**listed, team: {**before, "mode": mode}}}))
