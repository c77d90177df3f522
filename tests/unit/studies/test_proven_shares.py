"""What certify proved reaches the cards: kept, replaced, never mixed with another network's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tinyrobust.core.errors import UsageError
from tinyrobust.host.analysis.certified import summarise
from tinyrobust.host.records.certificates.schema import SUMMARY, Certificate, Subject
from tinyrobust.host.records.certificates.store import Certificates
from tinyrobust.models.zoo import proven
from tinyrobust.models.zoo.proven import Proven
from tinyrobust.studies.proven_shares import keep_all, proven_in

SUBJECT = Subject("digits-8bit", "ab", "cd", "d", "ef", "auto", 0.0, 1)


def finished(folder: Path, statuses: tuple[str, ...], subject: Subject = SUBJECT) -> Path:
    rows = [Certificate(i, 4, 1, 1, status, "interval", 0.1) for i, status in enumerate(statuses)]
    with Certificates(folder, subject) as store:
        store.append([*rows, Certificate(0, 8, 1, 1, "certified", "interval", 0.1)])
        store.finish({"boxes": [dataclasses.asdict(summarise(4, rows))]})
    return folder


def test_a_finished_folder_is_counted_and_boxes_left_over_are_not(tmp_path: Path) -> None:
    folder = finished(tmp_path / "c", ("certified", "wrong", "certified", "undecided", "broken"))
    assert proven_in(folder) == [Proven("digits-8bit", 4, 5, 4, 2, "auto", 0.0, "ab")]


def test_what_is_kept_is_read_back_in_order_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "certified.json"
    assert proven.read(path) == []
    four = Proven("a", 4, 500, 480, 450, "interval", 0.0, "ab")
    eight = dataclasses.replace(four, levels=8, certified=350)
    other = dataclasses.replace(four, model="b", sha256="cd")
    proven.keep([eight, other], path)
    proven.keep([four], path)
    assert proven.read(path) == [four, eight, other]
    better = dataclasses.replace(four, certified=460)
    proven.keep([better], path)
    assert proven.read(path) == [better, eight, other]
    again = dataclasses.replace(four, sha256="ff")
    proven.keep([again], path)
    assert proven.read(path) == [again, other], "of the old network nothing is left"


def test_a_row_of_the_cards() -> None:
    row = Proven("a", 25, 10_000, 9_737, 9_338, "auto", 2.0, "ab")
    assert str(row) == (
        "| a | 25/255 | auto, 2 s a sample | 10,000 "
        "| 97.37% [97.04%, 97.67%] | 93.38% [92.88%, 93.85%] |"
    )


def test_what_is_no_result_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no certificates here"):
        proven_in(tmp_path)
    with Certificates(tmp_path / "open", SUBJECT) as store:
        store.append([Certificate(0, 4, 1, 1, "certified", "interval", 0.1)])
    with pytest.raises(UsageError, match="not finished"):
        proven_in(tmp_path / "open")
    folder = finished(tmp_path / "odd", ("certified",))
    text = json.loads((folder / SUMMARY).read_text()) | {"boxes": [{"levels": 4}]}
    (folder / SUMMARY).write_text(json.dumps(text))
    with pytest.raises(UsageError, match="no figures of certify"):
        proven_in(folder)
    stranger = finished(
        tmp_path / "s", ("certified",), dataclasses.replace(SUBJECT, model="nonesuch")
    )
    with pytest.raises(UsageError, match="not in the zoo"):
        keep_all([stranger])
    for bad in ("", "{}{", '{"a": 1}', '[{"model": "x"}]'):
        path = tmp_path / "certified.json"
        path.write_text(bad)
        with pytest.raises(UsageError, match="no kept certificates"):
            proven.read(path)
