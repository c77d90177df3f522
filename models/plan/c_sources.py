"""C sources of an exported model, to be linked into a firmware.

They are the TFLite Micro model array, its op resolver, and the plan for flash.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tinyrobust.core.abi.layout import size
from tinyrobust.core.abi.plan import PlanHeader
from tinyrobust.core.files import write_whole
from tinyrobust.models.plan.bundle import Bundle

_RESOLVER = {
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "FULLY_CONNECTED": "AddFullyConnected",
    "ADD": "AddAdd",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "PAD": "AddPad",
    "RESHAPE": "AddReshape",
    "SOFTMAX": "AddSoftmax",
    "QUANTIZE": "AddQuantize",
}
_PER_LINE = 16


def emit_all(bundle: Bundle, folder: Path) -> None:
    """Writes everything a firmware project takes: the .tflite, the plan, and both as C sources.

    Makes ``folder``.

    Raises UsageError where it cannot be written, as every function here does.
    """
    write_whole(folder / "model.tflite", bundle.tflite)
    write_whole(folder / "plan.bin", bundle.plan)
    emit_model(bundle, folder)
    emit_plan(bundle, folder / "builtin_plan.cc")


def emit_model(bundle: Bundle, folder: Path) -> tuple[Path, ...]:
    """Writes ``model_data.{h,cc}`` and ``op_resolver.{h,cc}``.

    TFLite Micro applications take them in this form.
    """
    return (
        _write(folder / "model_data.h", _model_header(bundle)),
        _write(folder / "model_data.cc", _model_source(bundle)),
        _write(folder / "op_resolver.h", _resolver_header(bundle)),
        _write(folder / "op_resolver.cc", _resolver_source(bundle)),
    )


def emit_plan(bundle: Bundle, path: Path) -> Path:
    """Writes the plan as ``g_builtin_plan``, for plans that live in flash.

    It is declared in firmware/src/engine/builtin/builtin_plan.h.
    """
    text = (
        f"// Plan {bundle.plan_id} of model {bundle.sha256}. Generated; do not edit.\n"
        '#include "engine/builtin/builtin_plan.h"\n\n'
        f"alignas(16) extern const uint8_t g_builtin_plan[] = {{\n{_bytes(bundle.plan)}}};\n"
        f"extern const uint32_t g_builtin_plan_size = {len(bundle.plan)};\n"
    )
    return _write(path, text)


def emit_linked(bundle: Bundle, folder: Path, engine: str) -> tuple[Path, ...]:
    """Writes what an image is linked with to have ``bundle`` in flash, the built-in plan first.

    Engine ``cmsis-nn`` runs the plan itself; ``tflm`` runs the model, and of the plan takes the
    header alone.
    """
    if engine == "cmsis-nn":
        return (emit_plan(bundle, folder / "builtin_plan.cc"),)
    header = replace(bundle, plan=bundle.plan[: size(PlanHeader)])
    sources = [path for path in emit_model(bundle, folder / engine) if path.suffix == ".cc"]
    return (emit_plan(header, folder / engine / "builtin_plan.cc"), *sources)


def _model_header(bundle: Bundle) -> str:
    return (
        f"// {_describe(bundle)}\n#pragma once\n\n"
        "extern const unsigned char g_model_data[];  // 16-byte aligned\n"
        "extern const unsigned int g_model_data_size;\n"
    )


def _model_source(bundle: Bundle) -> str:
    return (
        f'// {_describe(bundle)}\n#include "model_data.h"\n\n'
        f"alignas(16) const unsigned char g_model_data[] = {{\n{_bytes(bundle.tflite)}}};\n"
        f"const unsigned int g_model_data_size = {len(bundle.tflite)};\n"
    )


def _resolver_header(bundle: Bundle) -> str:
    kinds = len(set(bundle.ops))
    arena = (
        ""
        if bundle.tflm_arena_bytes is None
        else f"// tflite-micro on a 64-bit host: {bundle.tflm_arena_bytes}\n"
    )
    return (
        "// Generated; do not edit.\n#pragma once\n\n"
        '#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"\n\n'
        f"using ModelOpResolver = tflite::MicroMutableOpResolver<{kinds}>;\n\n"
        f"{arena}"
        "// Registers exactly the operators of this model; kTfLiteOk when all were.\n"
        "TfLiteStatus RegisterModelOps(ModelOpResolver& resolver);\n"
    )


def _resolver_source(bundle: Bundle) -> str:
    calls = "".join(
        f"  if (resolver.{_RESOLVER[op]}() != kTfLiteOk) return kTfLiteError;\n"
        for op in sorted(set(bundle.ops))
    )
    return (
        '// Generated; do not edit.\n#include "op_resolver.h"\n\n'
        "TfLiteStatus RegisterModelOps(ModelOpResolver& resolver) "
        f"{{\n{calls}  return kTfLiteOk;\n}}\n"
    )


def _describe(bundle: Bundle) -> str:
    return f"Model {bundle.sha256}, {len(bundle.tflite)} bytes. Generated; do not edit."


def _bytes(data: bytes) -> str:
    rows = (data[i : i + _PER_LINE] for i in range(0, len(data), _PER_LINE))
    return "".join("    " + "".join(f"0x{b:02x}," for b in row) + "\n" for row in rows)


def _write(path: Path, text: str) -> Path:
    """Leaves a file alone that already says this, so that nothing is rebuilt."""
    data = text.encode()
    try:
        same = path.is_file() and path.read_bytes() == data
    except OSError:
        same = False
    return path if same else write_whole(path, data)
