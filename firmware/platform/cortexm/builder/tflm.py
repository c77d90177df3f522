"""ENGINE=tflm: compiles TensorFlow Lite Micro, and the network that is linked in beside it.

Its tree is that of ``TINYROBUST_TFLM_DIR`` or, where that is empty, the library of
``TINYROBUST_LIB_DEPS`` that PlatformIO has installed. ``firmware/tflm.txt`` says what of it is
taken.
"""

import os
import sys
from pathlib import Path

from SCons.Script import DefaultEnvironment, Exit

env = DefaultEnvironment()
project = Path(env.subst("$PROJECT_DIR"))
deps = Path(env.subst("$PROJECT_LIBDEPS_DIR")) / env.subst("$PIOENV")
given = os.environ.get("TINYROBUST_TFLM_DIR")
trees = [Path(given)] if given else sorted(deps.glob("*/src"))
tree = next(
    (one for one in trees if (one / "tensorflow/lite/micro/micro_interpreter.h").is_file()), None
)
if tree is None:
    sys.stderr.write(
        f"Error: no TensorFlow Lite Micro in {given or deps}: set TFLM_DIR to a tree of it\n"
    )
    Exit(1)

lines = (project / "firmware" / "tflm.txt").read_text().splitlines()
wanted = [line for line in lines if line[0] not in "#!+"]
left_out, with_strings = ([line[1:] for line in lines if line[0] == mark] for mark in "!+")
files = [
    file
    for pattern in wanted
    for file in sorted(tree.glob(pattern))
    if not any(part in file.name for part in left_out)
]

third_party = (
    "flatbuffers/include",
    "gemmlowp",
    "ruy",
    "cmsis_nn",
    "cmsis_nn/Include",
    "cmsis/CMSIS/Core/Include",
)
headers = [str(tree), *(str(tree / "third_party" / name) for name in third_party)]
library = env.Clone()
# Its own headers alone: CMSIS-NN in .deps is another version.
# ARDUINO: libraries made for it leave out by that name what needs a heap.
library.Replace(CPPPATH=headers)
library.Append(
    CCFLAGS=["-w", "-fwrapv", "-fno-strict-aliasing"],
    CPPDEFINES=["TF_LITE_STATIC_MEMORY", "ARDUINO", "CMSIS_NN"],
)
talking = library.Clone()
library.Append(CPPDEFINES=["TF_LITE_STRIP_ERROR_STRINGS"])
# Kernels as the other engine's, so that what two runs side by side count is not the optimization
# level.
kernels = library.Clone()
kernels.Append(CCFLAGS=["-O3"])


def compiled(file: Path) -> list:
    """The object of one file of the tree."""
    part = file.relative_to(tree)
    compiler = kernels if part.parts[0] == "third_party" else library
    if any(name in file.name for name in with_strings):
        compiler = talking
    return compiler.Object(
        str(Path("$BUILD_DIR") / "tflm" / part.with_suffix(file.suffix + ".o")), str(file)
    )


# The network's own folder is no path of the library's: another network does not compile it again.
linked = [Path(one) for one in os.environ.get("TINYROBUST_SOURCES", "").split(os.pathsep) if one]
ours = [*headers, *(str(one.parent) for one in linked[:1])]
env.Append(
    LIBS=[
        library.StaticLibrary(
            str(Path("$BUILD_DIR") / "libtflm"), [compiled(file) for file in files]
        )
    ],
    CCFLAGS=[flag for path in ours for flag in ("-isystem", path)],
    CPPDEFINES=[
        "TF_LITE_STATIC_MEMORY",
        "ARDUINO",
        "TF_LITE_STRIP_ERROR_STRINGS",
        (
            "TINYROBUST_TFLM",
            env.StringifyMacro(os.environ.get("TINYROBUST_TFLM_NAME", "TFLite Micro")),
        ),
    ],
)
