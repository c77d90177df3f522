import os
import subprocess
import sys

import pytest

from tests.support.paths import ROOT
from tinyrobust.host.boards import build as flash
from tinyrobust.host.config.parts import Parts
from tinyrobust.host.setup import __main__ as bootstrap
from tinyrobust.host.setup.environment import SetupError, Step, run
from tinyrobust.host.setup.tools import TOOLS, Tool, found_version, missing


@pytest.fixture
def step(tmp_path):
    (tmp_path / "x.lock").write_text("one")
    made = []

    def make(root, say):
        (root / "made").mkdir()
        made.append(root)

    return Step("made", "x.lock", "tests", make), tmp_path, made


def test_a_step_runs_again_only_when_its_lock_changes(step):
    one, root, made = step
    assert one.ensure(root, print)
    assert not one.ensure(root, print)
    (root / "x.lock").write_text("two")
    assert one.ensure(root, print)
    assert len(made) == 2


def test_an_interrupted_step_is_made_anew(step):
    one, root, _ = step
    (root / "made").mkdir()
    (root / "made" / "half").touch()
    assert one.ensure(root, print)
    assert not (root / "made" / "half").exists()


def test_an_environment_of_another_python_is_stale(step):
    one, root, _ = step
    one.ensure(root, print)
    (root / "made" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.4.1\n")
    assert one.ensure(root, print)


def test_a_failing_command_is_one_line():
    with pytest.raises(SetupError, match="no such luck") as caught:
        run([sys.executable, "-c", "print('fine'); raise SystemExit('no such luck')"], print, ROOT)
    assert "\n" not in str(caught.value)


def test_bootstrap_imports_nothing_but_the_standard_library():
    code = (
        "import sys, tinyrobust.host.setup.__main__\n"
        "ours = {m.split('.')[0] for m in sys.modules} - sys.stdlib_module_names\n"
        "print(*sorted(ours))"
    )
    out = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert set(out) <= {"tinyrobust", "__main__"}


def test_without_root_one_line_says_what_to_install(monkeypatch, capsys):
    lacking = Tool("no-such-program", "no-such-package", "tests", frozenset({"native"}))
    monkeypatch.setattr(bootstrap, "tools", lambda groups: [lacking])
    monkeypatch.setattr(bootstrap, "_become_root", lambda: None)
    assert bootstrap.main(["--for", "native"]) == 2
    said = capsys.readouterr().err
    assert "apt-get install no-such-package" in said
    assert said.count("\n") == 1


def test_a_missing_tool_is_none_and_a_present_one_has_a_version():
    assert found_version(Tool("no-such-program", "p", "tests", frozenset())) is None
    assert found_version(Tool("sh", "p", "tests", frozenset(), probe="sh -c false")) is None
    (make,) = (tool for tool in TOOLS if tool.name == "make")
    assert found_version(make)[0].isdigit()
    assert missing(
        [Tool("a-1", "same", "", frozenset()), Tool("a-2", "same", "", frozenset())]
    ) == ["same"]


def test_locks_name_no_host_and_hash_everything():
    for name in (
        "requirements.lock",
        "requirements-pio.lock",
        "firmware/cmsis.lock",
        "renode/robot.lock",
    ):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "--index-url" not in text
        for block in text.replace("\\\n", " ").splitlines():
            assert not block.strip() or block.startswith("#") or "--hash=sha256:" in block, block


def test_platformio_sees_no_setting_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", os.devnull)
    monkeypatch.setenv("TINYROBUST_SOURCES", os.devnull)
    environment = flash.platformio_environment(Parts(), tmp_path)
    assert "PLATFORMIO_CORE_DIR" not in environment
    assert environment["TINYROBUST_SOURCES"] == ""
    assert environment["PLATFORMIO_SETTING_ENABLE_TELEMETRY"] == "no"
