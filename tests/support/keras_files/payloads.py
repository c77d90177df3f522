"""Code in a model's description, in every way that Keras has for it: each would leave a file
named ``trap``."""

from __future__ import annotations

import base64
import marshal
from pathlib import Path
from typing import Any


def payloads(trap: Path) -> list[dict[str, Any]]:
    """Layers and values, to be put anywhere into a description."""
    made = compile(f"lambda t: [open({str(trap)!r}, 'w').close(), t][1]", "theirs", "eval")
    code = base64.b64encode(marshal.dumps(made.co_consts[0])).decode()
    legacy = [code, None, None]
    modern = {
        "class_name": "__lambda__",
        "config": {"code": code, "defaults": None, "closure": None},
    }
    arguments = {"output_shape": None, "output_shape_type": "raw", "output_shape_module": None}
    options = {"function_type": "lambda", "module": "builtins", "arguments": {}, **arguments}
    system = {
        "module": "os",
        "class_name": "function",
        "config": "system",
        "registered_name": "system",
    }
    return [
        *(
            {"class_name": kind, "config": {**name, **options, "function": function}, **name}
            for kind in ("Lambda", "theirs>Lambda", "keras>Lambda")
            for name in ({}, {"name": None}, {"name": ""}, {"name": "code"}, {"name": 3})
            for function in (legacy, modern)
        ),
        {
            "class_name": "TimeDistributed",
            "config": {
                "layer": {"class_name": "Lambda", "config": {**options, "function": legacy}}
            },
        },
        {
            "class_name": "Bidirectional",
            "config": {
                "layer": {"class_name": "Lambda", "config": {**options, "function": legacy}}
            },
        },
        {"class_name": "TFOpLambda", "config": {"name": "op", "function": "io.write_file"}},
        {"class_name": "RNN", "config": {"cell": modern}},
        {"class_name": "Activation", "config": {"name": "act", "activation": modern}},
        {"class_name": "Dense", "config": {"units": 2, "kernel_initializer": modern}},
        {"class_name": "Dense", "config": {"units": 2, "activation": system}},
        {"class_name": "QActivation", "config": {"activation": modern}},
        {"class_name": "QActivation", "config": {"activation": "__import__('os').system('x')"}},
        {
            "module": "subprocess",
            "class_name": "Popen",
            "config": {"args": ["touch", str(trap)]},
            "registered_name": None,
        },
        {
            "module": "os",
            "class_name": "system",
            "config": {"command": f"touch {trap}"},
            "registered_name": "system",
        },
        modern,
        system,
    ]
