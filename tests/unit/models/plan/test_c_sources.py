import re
import shutil
import subprocess

import pytest

from tests.support.paths import SOURCES
from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.models.plan import c_sources
from tinyrobust.models.plan.bundle import build
from tinyrobust.models.plan.operators.table import _BUILDERS
from tinyrobust.models.tflite.schema import OPERATOR


@pytest.fixture
def bundle(tmp_path):
    f = Factory()
    x = f.input((1, 4, 4, 1), Affine(0.5, 3))
    y = f.reshape(f.max_pool_2d(f.max_pool_2d(x, Window()), Window((2, 2), (2, 2))), (1, 4))
    return build(f.build(x, y), tmp_path / "cache")


def array(text):
    return bytes(int(b, 16) for b in re.findall(r"0x([0-9a-f]{2}),", text))


def test_the_arrays_are_the_model_and_the_plan(bundle, tmp_path):
    paths = {p.name: p.read_text() for p in c_sources.emit_model(bundle, tmp_path / "c")}
    assert array(paths["model_data.cc"]) == bundle.tflite
    assert f"g_model_data_size = {len(bundle.tflite)};" in paths["model_data.cc"]
    assert array(c_sources.emit_plan(bundle, tmp_path / "plan.cc").read_text()) == bundle.plan


def test_an_export_folder_holds_all_a_firmware_project_takes(bundle, tmp_path):
    c_sources.emit_all(bundle, tmp_path / "export")
    assert (tmp_path / "export/model.tflite").read_bytes() == bundle.tflite
    assert (tmp_path / "export/plan.bin").read_bytes() == bundle.plan
    assert array((tmp_path / "export/builtin_plan.cc").read_text()) == bundle.plan
    assert array((tmp_path / "export/model_data.cc").read_text()) == bundle.tflite


def test_the_resolver_registers_each_operator_once(bundle, tmp_path):
    paths = {p.name: p.read_text() for p in c_sources.emit_model(bundle, tmp_path / "c")}
    assert re.findall(r"resolver\.(\w+)\(", paths["op_resolver.cc"]) == [
        "AddMaxPool2D",
        "AddReshape",
    ]
    assert "MicroMutableOpResolver<2>" in paths["op_resolver.h"]


def test_every_supported_operator_has_a_resolver():
    assert {OPERATOR[code] for code in _BUILDERS} == set(c_sources._RESOLVER)


def test_what_has_not_changed_is_not_written_again(bundle, tmp_path):
    path = c_sources.emit_plan(bundle, tmp_path / "plan.cc")
    before = path.stat().st_mtime_ns
    assert c_sources.emit_plan(bundle, path).stat().st_mtime_ns == before


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_the_sources_compile_and_are_aligned(bundle, tmp_path):
    c_sources.emit_model(bundle, tmp_path)
    c_sources.emit_plan(bundle, tmp_path / "plan.cc")
    (tmp_path / "main.cc").write_text(
        '#include "engine/builtin/builtin_plan.h"\n#include "model_data.h"\n'
        "int main() { auto p = (uintptr_t)g_builtin_plan | (uintptr_t)g_model_data;\n"
        f"  return p % 16 || g_builtin_plan_size != {len(bundle.plan)}\n"
        f"      || g_model_data_size != {len(bundle.tflite)}; }}\n"
    )
    firmware = SOURCES
    sources = [str(tmp_path / n) for n in ("main.cc", "plan.cc", "model_data.cc")]
    subprocess.run(
        ["g++", "-std=c++17", f"-I{firmware}", *sources, "-o", str(tmp_path / "t")], check=True
    )
    assert subprocess.run([str(tmp_path / "t")]).returncode == 0


def test_a_bundle_is_addressed_by_content_and_heals(bundle, tmp_path):
    plan = bundle.folder / "plan.bin"
    assert plan.read_bytes() == bundle.plan
    plan.write_bytes(b"damaged")
    again = build(bundle.tflite, tmp_path / "cache")
    assert again.folder == bundle.folder
    assert plan.read_bytes() == again.plan == bundle.plan
    assert (bundle.folder / "model.tflite").read_bytes() == bundle.tflite
