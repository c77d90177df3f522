"""bench.toml and the sweep: what is accepted, what is refused and how it is named."""

import dataclasses

import pytest

from tinyrobust.attacks.registry import AUTOATTACK, expand
from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.host.config.bench import Config, override
from tinyrobust.host.config.file import load, parse
from tinyrobust.host.config.floors import Floor, Gate
from tinyrobust.host.config.values import number
from tinyrobust.host.runs.sweep import Subject, cells, resolve


def test_empty_file_is_the_default():
    assert parse("", "bench.toml") == Config()
    assert len(Config().eps) >= 6


def test_every_key_is_read():
    text = """
    model = "M.tflite"
    float_model = "M.h5"
    data = "D.npz"
    board = "native"
    attacks = ["clean", "pgd"]
    eps = ["8/255", 0.5, 0]
    sources = ["float32"]
    lattice = "inner"
    samples = 10
    seeds = [1, 2]
    out = "there"
    [gate]
    rung = "tflm"
    differing_bytes = 2
    [[gate.floors]]
    attack = "pgd"
    source = "qat"
    eps = "8/255"
    accuracy = 0.5
    """
    config = parse(text, "bench.toml")
    assert config.eps == (8 / 255, 0.5, 0.0)
    assert (config.samples, config.seeds, config.out.name, config.lattice) == (
        10,
        (1, 2),
        "there",
        "inner",
    )
    assert config.gate == Gate("tflm", (Floor("pgd", 0.5, "qat", 8 / 255),), 2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("epsilon = 1", "unknown key 'epsilon'"),
        ("eps = [-0.1]", "eps -0.1"),
        ("eps = [inf]", "eps inf"),
        ("eps = [nan]", "eps nan"),
        ('eps = ["1/0"]', "fraction such as"),
        ("eps = [true]", "fraction such as"),
        ("eps = []", "eps: at least one"),
        ("eps = [0.1, 0.1]", "names one twice"),
        ('access = ["wire"]', "access 'wire': give one or more of transfer, twin, board"),
        ('access = ["twin", "twin"]', "names one twice"),
        ('access = ["twin"]\nsources = ["twin"]', "give one of them"),
        ('lattice = "before"', "give own or after or inner or native or study"),
        ("samples = 0", "samples 0"),
        ("queries = 0", "queries 0: 1 to 1000000000 for each sample"),
        ("samples = 1.5", "samples must be a whole number"),
        ("seeds = [-1]", "seed -1"),
        ('attacks = "pgd"', "attacks must be a list"),
        ('model = "M.tflite"', "needs --data"),
        ('float_model = "M.h5"', "go with a model file"),
        ("model = ?", "line 1"),
        ("gate = 1", "gate must be a table"),
        ("[gate]\nfloor = 1", "gate unknown key 'floor'"),
        ("[gate]\ndiffering_bytes = -1", "differing_bytes -1"),
        ('[[gate.floors]]\nattack = "pgd"', "gate floors needs accuracy"),
        ('[[gate.floors]]\nattack = "pgd"\naccuracy = 87', "accuracy 87"),
        ('[[gate.floors]]\nattack = "pgd"\naccuracy = 0.5\neps = nan', "eps nan"),
    ],
)
def test_bad_values_are_refused_by_name(text, says):
    with pytest.raises(UsageError, match=r"^bench\.toml: ") as error:
        parse(text, "bench.toml")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_and_endless_files_are_refused(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        load(tmp_path / "bench.toml")
    (tmp_path / "long.toml").write_text("#" * 100_000)
    with pytest.raises(UsageError, match="longer than"):
        load(tmp_path / "long.toml")


def test_override_keeps_what_is_not_given():
    config = override(Config(samples=5), board="native", samples=None)
    assert (config.board, config.samples) == ("native", 5)
    with pytest.raises(UsageError, match="eps -2"):
        override(config, eps=(-2.0,))


def test_number_takes_fractions():
    assert number(" 4/255 ") == 4 / 255


WHOLE = Subject(("float32", "qat", "twin"), ("tflm", "native"), 64)


def made_on(config, subject=WHOLE):
    return [(cell.attack, cell.source) for cell in cells(config, subject)[1:]]


def test_cells_are_clean_first_then_every_source_and_eps():
    config = Config(attacks=("pgd", "clean", "noise"), eps=(0.1, 0.2), seeds=(7,))
    got = cells(config, WHOLE)
    assert got[0] == Cell("clean", "-", 0.0)
    assert [c.source for c in got[1:5]] == ["float32", "float32", "qat", "qat"]
    assert got[5:] == (Cell("noise", "-", 0.1, 7), Cell("noise", "-", 0.2, 7))
    assert len(set(got)) == len(got)


def test_sources_fall_back_to_the_twin():
    config = Config(attacks=("fgsm",), eps=(0.1,))
    assert made_on(config, Subject(("float32", "twin"))) == [("fgsm", "float32"), ("fgsm", "twin")]
    assert made_on(config, Subject(("twin",))) == [("fgsm", "twin")]


def test_access_names_the_rungs_by_what_the_adversary_has(queries):
    config = Config(attacks=("noise", "fgsm", "queries"), eps=(0.1,), access=("transfer", "board"))
    assert made_on(config) == [
        ("noise", "-"),
        ("fgsm", "float32"),
        ("queries", "float32"),
        ("queries", "native"),
    ]
    assert made_on(override(config, attacks=("fgsm",)), Subject(("qat", "twin"))) == [
        ("fgsm", "qat")
    ]
    assert made_on(override(config, attacks=("fgsm",), access=("twin",))) == [("fgsm", "twin")]
    assert made_on(override(config, attacks=("queries",), access=(), sources=("tflm",))) == [
        ("queries", "tflm")
    ]


@pytest.fixture
def queries(monkeypatch):
    """A registry with an attack that needs answers only, one on an L2 budget, and one that
    minimises.
    """
    from tinyrobust.attacks.base.problem import Needs, Norm
    from tinyrobust.attacks.control import CLEAN
    from tinyrobust.attacks.registry import ATTACKS

    for name, changes in (
        ("queries", {}),
        ("length", {"norm": Norm.L2}),
        ("least", {"minimises": True, "norm": Norm.L2}),
        ("queries-s4", {"eps": (0.25,)}),
    ):
        row = dataclasses.replace(CLEAN, name=name, needs=Needs.SCORES, **changes)
        monkeypatch.setitem(ATTACKS, name, row)


def test_groups_are_their_attacks_each_once(queries):
    config = Config(attacks=("pgd", "standard", "s4"), eps=(0.1,), sources=("qat",))
    assert resolve(config).attacks == expand(("pgd", *AUTOATTACK, "s4"))
    assert resolve(config).attacks.count("pgd") == 1
    assert [cell.eps for cell in cells(config, WHOLE) if cell.attack == "queries-s4"] == [0.25]


def test_any_other_class_is_what_attacks_want_anyway(queries):
    config = Config(attacks=("boundary",), target="any")
    assert resolve(config) == resolve(override(config, target=""))


@pytest.mark.parametrize("group", ["standard", "strong", "all-norms"])
def test_whole_groups_are_made_by_transfer_and_on_the_twin_unless_told(queries, group):
    config = Config(attacks=(group, "noise"), eps=(0.1,))
    assert {source for _, source in made_on(config)} == {"-", "float32", "twin"}
    assert {source for _, source in made_on(config, Subject(("twin",)))} == {"-", "twin"}
    assert {source for _, source in made_on(override(config, sources=("qat",)))} == {"-", "qat"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"attacks": ("pdg",)}, "unknown attack 'pdg': did you mean 'pgd'"),
        ({"attacks": ("standart",)}, "did you mean 'standard'"),
        ({"sources": ("quat",)}, "source 'quat': did you mean 'qat'"),
        (
            {"access": ("board",)},
            "pgd needs gradients, which native and board cannot give: make it on float32, qat",
        ),
        ({"sources": ("tflm",)}, "pgd needs gradients, which tflm cannot give"),
        (
            {"attacks": ("pgd", "apgd-dlr"), "target": "1"},
            "apgd-dlr cannot be given a target: its loss is not defined of one class against all",
        ),
        ({"target": "cat"}, "target 'cat': give a class by its number, least-likely or any"),
        ({"target": "-1"}, "target '-1': give a class"),
        ({"attacks": ("fab-l1",)}, "fab has no L1: fab is Linf, fab-l2 is L2, fab-t is Linf"),
        ({"attacks": ("pgd-l2",)}, "pgd has no L2: pgd is Linf"),
        ({"eps": (0.9 / 255,)}, "pgd, eps 0.00352941: below one level .* give 1/255 or more"),
        ({"eps": (0.4 / 255,), "lattice": "study"}, "below one level .* give 0.5/255 or more"),
        (
            {"attacks": ("square-l2",), "eps": (0.002,)},
            "square-l2, eps 0.002: below one level of the input grid, so nothing would move",
        ),
        ({"queries": 100}, "queries 100: no attack of pgd asks for scores or decisions"),
        ({"eps": (1.5,)}, "pgd, eps 1.5: an Linf budget is a fraction of the input range, 0 to 1"),
    ],
)
def test_what_cannot_be_made_is_refused_before_any_work(changes, says):
    with pytest.raises(UsageError, match=says) as error:
        resolve(override(Config(attacks=("pgd",)), **changes))
    assert "\n" not in str(error.value)


def test_of_a_group_the_attacks_that_cannot_be_aimed_are_left_out():
    aimed = resolve(Config(attacks=("strong",), target="1")).attacks
    assert set(expand(("strong",))) - set(aimed) == {"apgd-dlr"}


@pytest.mark.parametrize("name", ["pgd-s4", "ddn", "clean", "noise"])
def test_budgets_below_one_level_stand_where_they_are_a_studys_or_0_or_not_used(name):
    eps = (0.5,) if name == "noise" else (0.0001,)
    assert resolve(Config(attacks=(name,), eps=(*eps, 0.0))).attacks == (name,)


def test_half_a_level_of_int8_is_a_budget_on_a_finer_grid_and_its_own_least_is_none():
    config = Config(attacks=("pgd",), eps=(0.5 / 255,), lattice="native")
    fine = dataclasses.replace(WHOLE, steps=32767)
    assert len(cells(config, fine)) == 3
    assert resolve(config).eps == (0.5 / 255,)
    for steps, eps in ((255, 0.5 / 255), (32767, 0.9 / 32767)):
        with pytest.raises(UsageError, match=f"below one level .* give 1/{steps} or more$"):
            cells(override(config, eps=(eps,)), dataclasses.replace(WHOLE, steps=steps))


@pytest.mark.parametrize(
    ("changes", "subject", "says"),
    [
        (
            {},
            Subject((), ("tflm",)),
            "pgd cannot be made: this run has no rung for float32, twin; it has tflm",
        ),
        (
            {"sources": ("qat",)},
            Subject(("float32",)),
            "source 'qat': this run's rungs are: float32",
        ),
        ({"access": ("twin",)}, Subject(("float32",)), "no rung for twin"),
        ({"sources": ("qat", "tflm")}, WHOLE, "source tflm: no attack of pgd can be made on it"),
        (
            {"attacks": ("length",), "eps": (8.1,)},
            WHOLE,
            "no input of 64 elements moves farther than 8 in L2",
        ),
        (
            {"attacks": ("least",)},
            Subject(("qat",), labelled=False),
            "least measures .* the data has no labels",
        ),
    ],
)
def test_what_a_run_has_no_room_for_is_refused(changes, subject, says, queries):
    with pytest.raises(UsageError, match=says):
        cells(override(Config(attacks=("pgd",), eps=(0.1,)), **changes), subject)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 5000,
        "x = " + "{a=" * 5000,
        "samples = " + "9" * 5000,
        "[" + "a." * 9000 + "b]\nx = 1",
    ],
    ids=["brackets", "braces", "digits", "dots"],
)
def test_a_file_that_is_nested_too_deeply_or_too_long_is_one_line(tmp_path, text):
    path = tmp_path / "bench.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=f"^{path}: ") as error:
        load(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["1e999999999", "1e-999999999/3", "9" * 200, "1/0", "inf", "nan"])
def test_a_number_of_any_size_is_refused_at_once(text):
    with pytest.raises((UsageError, ValueError)):
        Config(eps=(number(text),))


def test_fractions_and_exponents_are_read():
    assert [number(text) for text in ("8/255", "1e-3", " 0.5 ")] == [8 / 255, 0.001, 0.5]
