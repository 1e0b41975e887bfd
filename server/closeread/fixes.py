"""The fixes of findings that came from a scan: each tried on the files as they are now.

For reports: a scan that finds everything in the cache has no project at hand, and this makes one, of the files that
have something to mend and what these rest on. Deliberately absent: writing to any file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from closeread_analyzers.finding import Finding, Fix
from closeread_analyzers.pipeline import Cancelled, Project

from .work import Snapshot, own_catalogue
from .workspace.files import Workspace


def verified(
    workspace: Workspace, findings: Iterable[Finding], cancelled: Callable[[], bool] = lambda: False
) -> dict[str, Fix]:
    """By fingerprint, what mends a finding without any judgement; most findings have none.

    The findings' paths are those of the workspace. Raises `Cancelled`.
    """
    catalogue = own_catalogue(workspace.settings.models)
    project: Project | None = None
    found: dict[str, Fix] = {}
    for finding in sorted(findings, key=lambda finding: finding.location.path):
        rule = catalogue.rules.get(finding.rule)
        if rule is None or rule.mend is None:
            continue
        project = project or Project(Snapshot(workspace), catalogue)
        try:
            for path in {step.location.path for step in finding.trace} - {finding.location.path}:
                project.analyze(path, cancelled)  # who tells of it, so that it can be seen to be gone
            fix = project.fix(finding, cancelled)
        except Cancelled:
            raise
        except Exception:
            continue  # a defect here costs a proposal, and no report
        if fix is not None:
            found[finding.fingerprint] = fix
    return found
