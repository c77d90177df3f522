"""What CI takes from elsewhere is what was looked at: by commit, by checksum, by hash."""

import re

import pytest

from tests.support.paths import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_and_tell_their_version(path):
    """A tag can be moved to another commit by whoever owns the action, or has taken it over."""
    text = path.read_text()
    used = re.findall(r"\buses:(.*)", text)
    assert used
    for one in used:
        assert re.fullmatch(r" [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_step_holds_a_token(path):
    """Renode, pip and the firmware's build run here: none speaks for the repository."""
    text = path.read_text()
    assert re.search(r"^permissions:\n  contents: read$", text, re.M)
    assert not re.search(r"token|secrets\.", text, re.I)
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


def test_renode_is_unpacked_after_its_checksum():
    text = (ROOT / ".github" / "workflows" / "renode.yml").read_text()
    assert text.index("sha256sum --check") < text.index("tar xf")
    assert re.search(r"^ +SHA256: [0-9a-f]{64}$", text, re.M)
    assert 'pip" install --no-deps --require-hashes -r renode/robot.lock' in text
