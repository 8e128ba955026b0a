"""Topics under the names that editors give them, which are the map version's: its files never change."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from atlas.datasets.activity import record_event
from atlas.maps.labels import make_labels
from atlas.maps.models import MapVersion
from atlas.maps.models import Topic as TopicRow
from atlas.maps.tiles import Frame
from atlas.maps.topic import Topic, Topics
from atlas.teams.asker import Asker


def rename_topic(version: MapVersion, number: int, name: str, asker: Asker) -> TopicRow:
    """The name that the build found is what a topic is called again. Raises Topic.DoesNotExist."""
    topic = TopicRow.objects.get(version=version, number=number)
    before = str(topic)
    topic.given_name = "" if name == topic.name else name
    topic.save(update_fields=["given_name"])
    if str(topic) != before:
        text = f"renamed the topic “{before[:80]}” to “{name}”"
        record_event(version.map.dataset, "renamed", asker, text)
    return topic


def given_names(versions: Iterable[UUID | None]) -> defaultdict[UUID | None, dict[str, str]]:
    """By version, then by the topic's id as text: as JSON has its keys."""
    names: defaultdict[UUID | None, dict[str, str]] = defaultdict(dict)
    rows = TopicRow.objects.filter(version__in=list(versions)).exclude(given_name="")
    for version, number, name in rows.order_by("number").values_list("version", "number", "given_name"):
        names[version][str(number)] = name
    return names


def renamed(topics: Topics, version: MapVersion) -> Topics:
    """The topics of a version as they are called now."""
    return Topics(_called(topics.topics, version), topics.ids)


def labels_now(version: MapVersion, *, words: bool = True) -> dict[str, Any]:
    """As labels.json, with names as they are now and room made for them: still no two ever meet.

    Without `words` topics that nobody named have numbers: their names are words of captions.
    """
    folder = version.folder
    content: dict[str, Any] = json.loads((folder / "labels.json").read_text())
    listed = [Topic(**topic) for topic in json.loads((folder / "topics.json").read_text())]
    if not words:
        listed = [replace(topic, name=f"Topic {topic.id + 1}") for topic in listed]
    frame = Frame(**json.loads((folder / "manifest.json").read_text())["frame"])
    for topic, label in zip(content["topics"], make_labels(_called(listed, version), frame), strict=True):
        topic.update(name=label.topic.name, w=label.w, h=label.h, k0=label.k0, k1=label.k1)
    return content


def _called(topics: list[Topic], version: MapVersion) -> list[Topic]:
    names = given_names([version.pk])[version.pk]
    return [replace(topic, name=names.get(str(topic.id), topic.name)) for topic in topics]
