"""What a script registers: it has a name, replaces only itself, and takes nobody's name."""

from typing import Any

import pytest

from channelome.errors import CollisionError, ModelError
from channelome.registry import Registry
from channelome.registry.discovery import Switches


@pytest.fixture
def registry() -> Registry:
    return Registry.discover([], Switches.from_environment({}))


def made(name: str = "Mine") -> Any:
    """A class as a notebook cell makes it anew each time."""
    return type(name, (), {"__module__": "notebook", "__qualname__": name})


def test_an_object_made_by_the_same_cell_replaces_the_one_before(registry: Registry):
    first, second = made()(), made()()
    registry.register(first, name="mine", kind="solver")
    registry.register(second, name="mine", kind="solver")
    assert registry.load("mine", "solver") is second
    assert [entry.name for entry in registry.entries()].count("mine") == 1


def test_a_class_keeps_its_other_names_when_it_is_made_anew(registry: Registry):
    registry.register(made(), kind="channel", aliases=["Mein"])
    second = made()
    registry.register(second, kind="channel", aliases=["Mio"])
    assert registry.load("Mein") is registry.load("Mio") is second


def test_another_class_does_not_take_a_name_or_an_alias(registry: Registry):
    registry.register(made(), kind="channel", aliases=["Mein"])
    for arguments in ({"name": "Mine"}, {"name": "Mein"}, {"name": "Other", "aliases": ["Mine"]}):
        with pytest.raises(CollisionError, match="is taken by local"):
            registry.register(made("Yours"), kind="channel", **arguments)
    with pytest.raises(CollisionError, match="'IL' is taken by channelome"):
        registry.register(made("Yours"), kind="channel", aliases=["IL"])
    assert "Yours" not in registry
    assert "Other" not in registry


@pytest.mark.parametrize("name", ["Mine@2", "my channel", "1st"])
def test_a_name_that_could_not_be_looked_up_is_refused(registry: Registry, name: str):
    with pytest.raises(ModelError, match="cannot be a name"):
        registry.register(made(), name=name, kind="channel")
