"""Finished runs of a folder, so that a study's page can be written again without a new run."""

from __future__ import annotations

from pathlib import Path

from tinyrobust.host.records.schema import Manifest
from tinyrobust.host.records.store import MANIFEST, read_manifest


def largest(out: Path, model: str, attack: str) -> Path | None:
    """The complete run in ``out`` of ``attack`` on most samples of ``model``, the newest of them;
    or None.
    """
    runs = [(path.parent, read_manifest(path.parent)) for path in out.glob(f"*/{MANIFEST}")]
    found = [(m.samples, m.created, path) for path, m in runs if _fits(m, model, attack)]
    return max(found)[2] if found else None


def _fits(manifest: Manifest, model: str, attack: str) -> bool:
    return (manifest.state, manifest.model) == ("complete", model) and attack in manifest.attacks
