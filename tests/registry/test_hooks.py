"""Hooks: one broken plugin neither kills nor silences the others, and a misspelt hook is reported."""

from types import ModuleType
from typing import Any

import pytest

from channelome.registry import hooks
from channelome.registry.discovery import Problem


class Point:
    """An entry point as far as the manager knows it."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def load(self) -> Any:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def plugin(**functions: Any) -> ModuleType:
    module = ModuleType("a_plugin")
    for name, function in functions.items():
        setattr(module, name, hooks.hookimpl(function))
    return module


def test_every_plugin_answers_a_hook():
    good = plugin(channelome_environment=lambda: {"library": "1.0"})
    pm, problems = hooks.manager([("one 1", "one", Point(good)), ("two 2", "two", Point(plugin()))])
    assert problems == []
    assert pm.hook.channelome_environment() == [{"library": "1.0"}]


@pytest.mark.parametrize("error", [ImportError("gone"), SyntaxError("bad"), RuntimeError("odd")])
def test_a_plugin_that_fails_to_import_is_named_and_the_others_work(error: Exception):
    good = plugin(channelome_environment=lambda: {"a": "b"})
    pm, problems = hooks.manager([("bad 1", "bad", Point(error)), ("good 1", "good", Point(good))])
    assert [p.distribution for p in problems] == ["bad 1"]
    assert type(error).__name__ in problems[0].what
    assert pm.hook.channelome_environment() == [{"a": "b"}]


def test_a_misspelt_hook_is_reported_and_its_plugin_left_out():
    wrong = plugin(channelome_enviroment=lambda: {"a": "b"})
    good = plugin(channelome_diagnose=lambda: [Problem("x 1", "what", "remedy")])
    pm, problems = hooks.manager([("bad 1", "bad", Point(wrong)), ("good 1", "good", Point(good))])
    (problem,) = problems
    assert problem.distribution == "bad 1"
    assert "channelome_enviroment" in problem.what
    assert pm.hook.channelome_environment() == []
    assert pm.hook.channelome_diagnose() == [[Problem("x 1", "what", "remedy")]]


@pytest.mark.parametrize("answer", [RuntimeError("boom"), SystemExit(3), ["no dictionary"], {"number": 1}])
def test_a_plugin_that_fails_when_asked_is_named_and_the_others_answer(answer: Any):
    def odd() -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    asked = hooks.manager(
        [
            ("bad 1", "bad", Point(plugin(channelome_environment=odd))),
            ("good 1", "good", Point(plugin(channelome_environment=lambda: {"a": "b"}))),
        ]
    )
    said = hooks.environment(asked)
    assert said.pop("a") == "b"
    assert list(said) == ["bad 1/bad"]
    (problem,) = hooks.diagnose(asked)
    assert problem.distribution == "bad 1"
    assert "asked channelome_environment" in problem.what


def test_a_plugin_that_cannot_be_checked_is_not_blamed_on_the_next():
    wrong = plugin(channelome_aaa=lambda: None, channelome_environment=lambda nothing: {})
    good = plugin(channelome_environment=lambda: {"a": "b"})
    asked = hooks.manager([("bad 1", "bad", Point(wrong)), ("good 1", "good", Point(good))])
    assert [problem.distribution for problem in asked[1]] == ["bad 1"]
    assert hooks.environment(asked) == {"a": "b"}


def test_two_distributions_may_use_one_name_for_their_plugins():
    asked = hooks.manager(
        [(f"{k} 1", "same", Point(plugin(channelome_environment=lambda k=k: {k: "1"}))) for k in ("one", "two")]
    )
    assert asked[1] == []
    assert hooks.environment(asked) == {"one": "1", "two": "1"}


def test_a_first_party_plugin_uses_a_hook():
    pytest.importorskip("channelome_diffrax")
    assert "diffrax" in hooks.environment()
