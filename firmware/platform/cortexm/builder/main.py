"""SCons build of one board: toolchain, flags, CMSIS-NN, startup code.

Every figure about a board comes from ``boards/<board>.json``; nothing here knows a board by name.
"""

import os
import sys
from pathlib import Path

from SCons.Script import Default, DefaultEnvironment, Exit

env = DefaultEnvironment()
board = env.BoardConfig()
here = Path(env.PioPlatform().get_dir())
project = Path(env.subst("$PROJECT_DIR"))
cmsis = project / ".deps" / "cmsis" / "aidge_export_arm_cortexm"
nn = cmsis / "_CMSIS-NN" / "CMSIS-NN"

if not nn.is_dir():
    sys.stderr.write("CMSIS-NN is not in .deps/cmsis: run `make setup`\n")
    Exit(1)

prefix = "arm-none-eabi-"
env.Replace(
    AR=prefix + "gcc-ar",
    AS=prefix + "gcc",
    CC=prefix + "gcc",
    CXX=prefix + "g++",
    LINK=prefix + "g++",
    OBJCOPY=prefix + "objcopy",
    RANLIB=prefix + "gcc-ranlib",
    SIZETOOL=prefix + "size",
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
)

machine = [
    "-mthumb",
    f"-mcpu={board.get('build.cpu')}",
    f"-mfpu={board.get('build.fpu')}",
    "-mfloat-abi=hard",
]
env.Append(
    # No -Ofast and no -ffast-math anywhere: answers must not depend on the build.
    CCFLAGS=[*machine, "-O2", "-g", "-ffunction-sections", "-fdata-sections", "-fno-common"],
    CFLAGS=["-std=gnu11"],
    CXXFLAGS=[
        "-std=c++17",
        "-fno-exceptions",
        "-fno-rtti",
        "-fno-threadsafe-statics",
        "-fno-use-cxa-atexit",
    ],
    CPPDEFINES=[("TINYROBUST_BOARD", env.StringifyMacro(env.subst("$PIOENV")))],
    CPPPATH=[
        "$PROJECT_INCLUDE_DIR",
        "$PROJECT_SRC_DIR",
        str(nn / "Include"),
    ],
    LINKFLAGS=[
        *machine,
        "-nostartfiles",
        "-specs=nano.specs",
        "-specs=nosys.specs",
        "-Wl,--gc-sections",
        "-Wl,--fatal-warnings",
        "-Wl,--no-warn-rwx-segments",
        "-Wl,--build-id=sha1",
        f"-Wl,--defsym=__stack_bytes={board.get('build.stack_bytes')}",
        f"-Wl,--defsym=__least_pool_bytes={board.get('build.least_pool_bytes')}",
        "-Wl,-Map,${BUILD_DIR}/firmware.map",
    ],
    LIBPATH=[str(here / "ld")],
)
env.Replace(LDSCRIPT_PATH=str(here / "ld" / board.get("build.ldscript")))

if os.environ.get("TINYROBUST_ENGINE", "cmsis-nn") == "tflm":
    env.SConscript(str(here / "builder" / "tflm.py"))
else:
    # The vendor's code: its own optimization level and none of our warnings.
    vendor = env.Clone()
    # As in firmware/Makefile: it relies on wrapping arithmetic where a corrupt plan makes
    # accumulators overflow.
    vendor.Append(CCFLAGS=["-O3", "-w", "-fwrapv", "-fno-strict-aliasing"])
    env.Append(LIBS=[vendor.BuildLibrary(str(Path("$BUILD_DIR") / "cmsis-nn"), str(nn / "Source"))])

# Linked as objects, not as a library: nothing refers to the vector table.
env.BuildSources(
    str(Path("$BUILD_DIR") / "startup"),
    str(here / "startup"),
    f"+<startup.cc> +<{board.get('build.vectors')}>",
)

# What the image speaks and what runs its network: host/config/parts.py names the choices, and each
# is a folder of firmware/src.
for kind, variable, usual in (
    ("app", "TINYROBUST_PROTOCOL", "tinyrobust"),
    ("engine", "TINYROBUST_ENGINE", "cmsis-nn"),
):
    folder = os.environ.get(variable, usual).replace("-", "_")
    env.Append(SRC_FILTER=[f"+<{kind}/{folder}/>"])

# Generated files to link in: a plan that shall stand in flash.
for source in filter(None, os.environ.get("TINYROBUST_SOURCES", "").split(os.pathsep)):
    target = str(Path("$BUILD_DIR") / "linked" / Path(source).with_suffix(".o").name)
    env.Append(PIOBUILDFILES=[env.Object(target, source)])


# The size gate is the linker's: ld/<board>.ld holds the real memory sizes and a floor for what is
# left to models. PlatformIO prints the sizes and checks flash once more.
elf = env.BuildProgram()
env.Alias("buildprog", elf)

Default(elf)
