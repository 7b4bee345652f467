"""The languages: what English says, the others say, with the same gaps to fill."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "custom_components" / "qbittorrent_resilient" / "translations"
LANGUAGES = ["de", "es", "fr", "nl", "pl", "pt-BR"]
SAME_EVERYWHERE = re.compile(r"`[^`]+`|{\w+}")
"""Code and placeholders."""


def texts(language: str) -> dict[str, str]:
    """Return every text by its path."""

    def walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for key, one in value.items():
                yield from walk(one, f"{path}/{key}")
        else:
            yield path, value

    return dict(walk(json.loads((FOLDER / f"{language}.json").read_text()), ""))


ENGLISH = texts("en")


def test_all_are_here() -> None:
    assert sorted(one.stem for one in FOLDER.glob("*.json")) == sorted(["en", *LANGUAGES])


@pytest.mark.parametrize("language", LANGUAGES)
def test_same_keys_and_gaps(language: str) -> None:
    found = texts(language)
    assert list(found) == list(ENGLISH)
    for path, text in found.items():
        assert text == text.strip() != "", path
        assert "[%" not in text, path
        assert "<" not in text, path
        english = set(SAME_EVERYWHERE.findall(ENGLISH[path]))
        assert set(SAME_EVERYWHERE.findall(text)) == english, path


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_translated(language: str) -> None:
    """Words may be the same in two languages, sentences are not."""
    found = texts(language)
    left = [path for path, text in found.items() if text == ENGLISH[path] and text.count(" ") > 2]
    assert left == []


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_states_begin_with_a_capital(language: str) -> None:
    """Each is read by itself: as the state of an entity, or beside the name of an attribute.

    Home Assistant's own Polish begins a state with a small letter, but for sentences.
    """
    found = texts(language)
    if language == "pl":
        found = {path: text for path, text in found.items() if "/evidence/" in path}
    states = {path: text for path, text in found.items() if re.search(r"^/entity/.*/state/", path)}
    assert states
    assert [path for path, text in states.items() if not text[0].isupper()] == []


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_names_of_entities_can_be_told_apart(language: str) -> None:
    found = texts(language)
    for platform in ("binary_sensor", "button", "event", "sensor", "todo"):
        names = [
            text
            for path, text in found.items()
            if re.fullmatch(rf"/entity/{platform}/\w+/name", path)
        ]
        assert len(names) == len(set(names))
