"""Ways a run's folder can be damaged: one at random, the same for the same seed."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MANIFEST, RECORDS, EXAMPLES, LAYERS = (
    "manifest.json",
    "records.parquet",
    "examples.npz",
    "layers.parquet",
)
FILES = (MANIFEST, RECORDS, EXAMPLES, LAYERS)
VALUES = (
    None,
    [],
    {},
    "",
    "x",
    "\x1b[2J",
    "$\\frac$",
    "=1+1",
    "\ud800",
    "[/red]",
    0,
    -1,
    1,
    0.5,
    True,
    2**31,
    2**63,
    10**400,
    float("nan"),
    float("inf"),
    -1e300,
    [None],
    [[1]],
    {"a": 1},
    ["a", "b"],
    [1, 2, 3],
)
"""What may stand in a manifest in the place of anything."""


def damage(folder, rng):
    """Damages one thing in ``folder``; what it did, in words."""
    ways = (of_manifest, of_manifest, of_bytes, of_bytes, of_file, of_table, of_table, of_examples)
    return ways[rng.integers(len(ways))](folder, rng)


def of_manifest(folder, rng):
    """One value of the manifest is another, is gone, is doubled, or the text is no JSON."""
    path = folder / MANIFEST
    raw = json.loads(path.read_text())
    places = list(_places(raw))
    holder, key = places[rng.integers(len(places))]
    how = rng.integers(8)
    said = f"{key!r}"
    if how == 0:
        del holder[key]
        said += " is gone"
    elif how == 1 and isinstance(holder, dict):
        holder[f"{key}2"] = holder[key]
        said += " is there twice"
    elif how == 2:
        path.write_text("[" * 5000 if rng.integers(2) else json.dumps(raw).replace(":", "", 1))
        return "manifest is no JSON"
    else:
        holder[key] = VALUES[rng.integers(len(VALUES))]
        said += f" is {holder[key]!r}"
    path.write_text(json.dumps(raw))
    return f"manifest: {said}"


def _places(value):
    if isinstance(value, (dict, list)):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def of_bytes(folder, rng):
    """A file is cut, emptied, or has bytes changed."""
    path = folder / FILES[rng.integers(len(FILES))]
    data = bytearray(path.read_bytes())
    how = rng.integers(5)
    if how == 0:
        data = data[: rng.integers(len(data))]
    elif how == 1:
        data = data + data
    elif how == 2:
        data = bytearray(rng.bytes(50))
    else:
        for at in rng.integers(0, len(data), 1 if how == 3 else 20):
            data[at] ^= 1 << rng.integers(8)
    path.write_bytes(data)
    return f"{path.name}: bytes, way {how}"


def of_file(folder, rng):
    """A file is gone, is a folder, or is another one of the run."""
    path = folder / FILES[rng.integers(len(FILES))]
    other = folder / FILES[rng.integers(len(FILES))]
    how = rng.integers(3)
    copy = other.read_bytes()
    path.unlink()
    if how == 1:
        path.mkdir()
    if how == 2:
        path.write_bytes(copy)
    return f"{path.name}: file, way {how} ({other.name})"


def of_table(folder, rng):
    """A table has a column less, empty or odd fields, another type, or no row."""
    path = folder / (RECORDS, RECORDS, LAYERS)[rng.integers(3)]
    table = pq.read_table(path)
    at = int(rng.integers(len(table.schema)))
    field = table.schema.field(at)
    how = rng.integers(7)
    if how == 0:
        table = table.remove_column(at)
    elif how == 1:
        values = table[field.name].to_pylist()
        values[rng.integers(len(values))] = None
        table = table.set_column(at, field, pa.array(values, field.type))
    elif how == 2:
        table = table.slice(0, 0)
    elif how == 3:
        table = table.set_column(at, field.name, pa.nulls(len(table), field.type))
    elif how == 4:
        table = table.set_column(
            at, field.name, pa.array([str(v) for v in table[field.name].to_pylist()])
        )
    else:
        table = table.set_column(at, field, _odd(table[field.name].to_pylist(), field.type, rng))
    pq.write_table(table, path)
    return f"{path.name}: {field.name}, way {how}"


def _odd(values, kind, rng):
    odd = {
        pa.string(): ["", "\x1b[2J", "$\\frac{$", "=cmd()", "[/red]", "x" * 5000, "\ufeff"],
        pa.binary(): [b"", b"\0", bytes(100)],
        pa.bool_(): [True],
    }.get(kind)
    if pa.types.is_list(kind):
        odd = [[], [None], [float("nan")], [1.0] * 50]
    if odd is None and pa.types.is_floating(kind):
        odd = [float("nan"), float("inf"), -1.0, 1e30]
    if odd is None:
        bits = kind.bit_width
        odd = [
            0,
            1,
            2 ** (bits - 1) - 1,
            0 if pa.types.is_unsigned_integer(kind) else -(2 ** (bits - 1)),
        ]
    few = rng.integers(0, len(values), len(values) if rng.integers(2) else 1)
    for row in few:
        values[row] = odd[rng.integers(len(odd))]
    return pa.array(values, kind)


def of_examples(folder, rng):
    """The pictures have an array less, or one of another type or shape."""
    path = folder / EXAMPLES
    with np.load(path) as file:
        arrays = dict(file)
    name = list(arrays)[rng.integers(len(arrays))]
    how = rng.integers(6)
    if how == 0:
        del arrays[name]
    else:
        odd = (
            arrays[name].astype(str),
            arrays[name][:0],
            arrays[name][None],
            arrays[name][:1],
            np.array(7),
        )
        arrays[name] = odd[how - 1]
    np.savez(path, **arrays)
    return f"examples.npz: {name}, way {how}"


def copy(folder, to):
    """A folder of one's own to damage."""
    shutil.copytree(folder, to)
    return to
