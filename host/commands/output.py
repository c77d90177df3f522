"""How ``run`` and ``report`` end: the figures for a person, or as JSON for a program."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from tinyrobust.host.report.result import Result, headline, print_result


def show(run: Path, report: str, as_json: bool, **more: int) -> Result:
    """Prints a finished run's figures on stdout and returns them; ``more`` are further counts for
    the JSON.
    """
    result = Result.of(run)
    if as_json:
        print(
            json.dumps(
                {"run": str(run), "report": report, **more, **dataclasses.asdict(result)}, indent=2
            )
        )
    else:
        print_result(result)
        print(f"\nReport: {report}")
        for one in result.worst:
            print(headline(one))
    return result
