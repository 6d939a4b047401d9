from __future__ import annotations

import keyword
import re

import pytest

from edgekit.exporters import _names

ANY = [
    "kws",
    "my-model.v2",
    "3d",
    "",
    "---",
    "a b\nc",
    'the "x"',
    "größe",
    "模型",
    "模型二",
    "class",
]
"""A model may be called like this."""
SPELLED = {
    "my-model.v2": ("my_model_v2", "my-model-v2", "MyModelV2", "myModelV2"),
    "3d": ("model_3d", "model-3d", "Model3d", "model3d"),
    "größe": ("grosse", "grosse", "Grosse", "grosse"),
    "": ("model", "model", "Model", "model"),
    "IMG net": ("img_net", "img-net", "IMGNet", "imgNet"),
}


@pytest.mark.parametrize("name", SPELLED)
def test_names_are_spelled_as_each_language_expects(name: str) -> None:
    spelled = tuple(f(name) for f in (_names.snake, _names.kebab, _names.pascal, _names.camel))
    assert spelled == SPELLED[name]


@pytest.mark.parametrize("name", ANY)
def test_any_name_is_legal(name: str) -> None:
    for found in (_names.snake(name), _names.pascal(name), _names.camel(name)):
        assert re.fullmatch("[A-Za-z][A-Za-z0-9_]*", found)
    assert re.fullmatch("[a-z][a-z0-9-]*", _names.kebab(name))


def test_names_without_a_latin_letter_do_not_collide() -> None:
    assert len({_names.snake(name) for name in ("模型", "模型二", "модель", "model")}) == 4


@pytest.mark.parametrize("word", [*keyword.kwlist, *keyword.softkwlist])
def test_no_keyword_of_python_comes_out(word: str) -> None:
    found = _names.snake(word, _names.PYTHON)
    assert found not in (*keyword.kwlist, *keyword.softkwlist)
    assert found.isidentifier()


def test_reserved_words_of_other_languages_get_a_second_word() -> None:
    assert _names.snake("class", _names.JAVA) == "class_model"
    assert _names.camel("delete", _names.JAVASCRIPT) == "deleteModel"
    assert _names.kebab("class") == "class"
    assert _names.pascal("any") == "AnyModel"
