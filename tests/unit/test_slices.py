"""Large JSON and large forms are read in slices, to the same as they would be at once."""

import json
from random import Random
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from homeassistant.util.json import json_loads
import pytest

from custom_components.qbittorrent_resilient.core.intake import TooManyError
from custom_components.qbittorrent_resilient.doors import slices
from custom_components.qbittorrent_resilient.doors.slices import load_json, unquoted

TEXTS = ["", "a", 'q"u\\o', "b,[c]{d}:", "é😀", "\n\t", "x" * 50]


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_CHARACTERS", 20)


def made_up(random: Random, depth: int = 0) -> Any:
    kinds = ["text", "number", "nothing"] + ["list", "object"] * (depth < 4)
    match random.choice(kinds) if depth else random.choice(["list", "object"]):
        case "text":
            return random.choice(TEXTS)
        case "number":
            return random.choice([0, -1, 1.5, 1e300, True])
        case "list":
            return [made_up(random, depth + 1) for _ in range(random.randrange(6))]
        case "object":
            many = random.randrange(6)
            return {
                random.choice(TEXTS) + str(one): made_up(random, depth + 1) for one in range(many)
            }
    return None


@pytest.mark.parametrize("indent", [None, 2])
def test_same_as_at_once(indent: int | None) -> None:
    random = Random(1)
    for _ in range(2000):
        value = made_up(random)
        text = json.dumps(value, indent=indent, ensure_ascii=random.random() < 0.5)
        assert load_json(f" {text}\n") == value


def test_what_is_no_json() -> None:
    """Broken at any place, it is JSON to both or to none; a comma too many may pass."""
    random = Random(2)
    for _ in range(3000):
        text = json.dumps(made_up(random))
        at = random.randrange(len(text))
        broken = text[:at] + random.choice('[]{}",:x1 \\') + text[at + random.randrange(2) :]
        try:
            expected = json_loads(broken)
        except ValueError:
            expected = None
        try:
            found = load_json(broken)
        except ValueError:
            found = None
        if expected is not None:
            assert found == expected
        elif found is not None:
            assert "," in broken


def test_nested_too_deeply() -> None:
    with pytest.raises(ValueError, match="deep"):
        load_json("[" * 1000 + "]" * 1000)
    with pytest.raises(ValueError, match="end"):
        load_json("[" * 100_000)


def test_text_with_more_escapes_than_are_looked_at() -> None:
    text = json.dumps(["\n" * 250_000, "a"])
    assert load_json(text) == json_loads(text)
    with pytest.raises(ValueError, match="without an end"):
        load_json(json.dumps(["\n" * 250_001, "a"]))


@pytest.mark.parametrize("item", ["1,", "[],", '{"a":1},', "[[[]]],"])
def test_too_many_values(item: str) -> None:
    with pytest.raises(TooManyError):
        load_json(f"[{item * 1_100_000}1]")


def test_forms() -> None:
    random = Random(3)
    for _ in range(2000):
        text = "".join(random.choice([*TEXTS, " ", "+", "%", "&="]) for _ in range(20))
        encoded = quote_plus(text) if random.random() < 0.7 else text
        assert unquoted(encoded) == unquote_plus(encoded, errors="replace")
