"""Pairs of pictures as people lay them out: what belongs together, what is made of what, and nothing bent on the way."""

from __future__ import annotations

import pytest

from zerosum.data.matching import lay_out, partners, plainly, roles
from zerosum.errors import UserError

# -- which files belong together


def columns(names):
    return {column: {key: names[slot] for key, slot in keys.items()} for column, keys in lay_out(names).columns.items()}


@pytest.mark.parametrize(
    ("names", "found", "tests"),
    [
        (["a/1.jpg", "a/2.jpg", "b/1.png", "b/2.png"], {"a": "12", "b": "12"}, ""),
        (["set/a/1.png", "set/b/1.png"], {"a": "1", "b": "1"}, ""),  # a folder around everything
        (["trainA/1.png", "trainB/1.png", "testA/2.png", "testB/2.png"], {"A": "12", "B": "12"}, "2"),
        (["train/x/1.png", "train/y/1.png", "val/x/2.png", "val/y/2.png"], {"x": "12", "y": "12"}, "2"),
        (["A/train/1.png", "A/test/2.png", "B/train/1.png", "B/test/2.png"], {"A": "12", "B": "12"}, "2"),
        (["train_input/1.png", "train_target/1.png"], {"input": "1", "target": "1"}, ""),
        (["valley/1.png", "testament/1.png"], {"valley": "1", "testament": "1"}, ""),  # words that only begin so
    ],
)
def test_columns_are_found_by_folders(names, found, tests):
    laid = columns(names)
    assert {column: "".join(sorted(stem for _, stem in keys)) for column, keys in laid.items()} == found
    assert {stem for keys in laid.values() for test, stem in keys if test} == set(tests)


def test_rows_are_matched_by_name_whatever_the_suffix_and_the_depth():
    names = ["a/p/1.jpg", "a/q/1.jpg", "a/3.jpg", "b/p/1.png", "b/q/1.png", "b/4.png", "a/p/1.png", "readme.png"]
    laid = lay_out(names)
    keys, alone = partners(laid, ["a", "b"])
    assert [stem for _, stem in keys] == ["p/1", "q/1"]
    assert [names[slot] for slot in alone] == ["a/3.jpg", "b/4.png"]
    assert [names[slot] for slot in laid.twice] == ["a/p/1.png"] and [names[slot] for slot in laid.loose] == ["readme.png"]


@pytest.mark.parametrize(
    ("there", "inputs", "target", "found"),
    [
        ("a b", None, None, ("a", "b")),
        ("target input", None, None, ("input", "target")),
        ("garment person target", None, None, ("garment person", "target")),
        ("depth photo", None, None, ("depth", "photo")),  # the last in order
        ("back front left right", "left,back", "front", ("left back", "front")),
        ("A B", None, "a", ("B", "A")),
        ("a b", "b", None, ("b", "a")),
    ],
)
def test_inputs_and_target(there, inputs, target, found):
    given, made = roles(there.split(), inputs, target, "here", "folder")
    assert (" ".join(given), made) == found


@pytest.mark.parametrize(
    ("there", "inputs", "target", "words"),
    [
        ("a b", "c", None, "here: no folder c: there are a, b"),
        ("a b", "a", "a", "a is asked for twice"),
        ("a b", "a,b", None, "nothing is left to be made"),
        ("a", None, None, "only one folder, a"),
    ],
)
def test_roles_that_make_no_pair_are_refused(there, inputs, target, words):
    with pytest.raises(UserError, match=words):
        roles(there.split(), inputs, target, "here", "folder")


def test_only_names_that_can_mean_nothing_else_are_plainly_pairs():
    for names in (["a", "b"], ["A", "B"], ["input", "target"], ["x", "y"], ["before", "after"]):
        assert plainly(names)
    for names in (["cat", "dog"], ["a", "b", "c"], ["a"], ["a", "x"], ["images", "target"]):
        assert not plainly(names)
