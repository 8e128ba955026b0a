"""What the README promises must exist."""

import re
from pathlib import Path

import yaml

from atlas.handler import MOST_IN_FILES
from embeddings.models import list_models

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_every_make_command_it_names_is_a_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^    (?:\S+=\S+ )*|`)make ([a-z]+)", README, re.MULTILINE))

    assert {"demo", "test", "help"} <= named <= targets


def test_it_lists_every_setting_and_no_other() -> None:
    settings = (ROOT / "atlas" / "settings.py").read_text()
    read = set(re.findall(r'\benv\w*\(\s*"([A-Z0-9_]+)"', settings))
    listed = set(re.findall(r"`((?:ATLAS|DATABASE|REDIS)_[A-Z0-9_]+)`", README))

    assert listed == read


def test_every_file_it_names_is_there() -> None:
    for name in re.findall(r"`((?:atlas|embeddings|frontend|docker|manage|\.ci)[\w./-]*)`", README):
        path = name.split(" ")[0]
        assert (ROOT / path).exists(), name


def test_its_picture_is_there_small_and_said_in_words() -> None:
    [(words, name)] = re.findall(r"^!\[(.+)\]\((.+)\)$", README, re.MULTILINE)

    assert len(words.split()) > 10
    assert 0 < (ROOT / name).stat().st_size < 300_000


def test_it_lists_every_model() -> None:
    listed = set(
        re.findall(r"^\| `([\w.-]+)` \| (?:the default|their first|OpenAI|the demo)", README, re.MULTILINE)
    )

    assert listed == {card.name for card in list_models()}


def test_the_page_on_looks_names_the_icons_that_there_are() -> None:
    rules = (ROOT / "frontend" / "src" / "style" / "icons.css").read_text()
    [named] = re.findall(r"NAMEs: ([a-z\s-]+)\.", (ROOT / "frontend" / "STYLE.md").read_text())

    assert set(named.split()) == set(re.findall(r"^\.icon-([a-z-]+)", rules, re.MULTILINE))


def test_its_upgrade_stops_every_part_that_would_not_know_the_new_tables() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    [stopped] = re.findall(r"^    docker compose stop (.+)$", README, re.MULTILINE)

    ours = {name for name, service in services.items() if service["image"] == "atlas"}
    assert {*stopped.split()} == ours - {"prepare"}


def test_its_proxy_lets_the_largest_request_pass() -> None:
    assert f"client_max_body_size {MOST_IN_FILES >> 20}m;" in README
    assert f"up to {MOST_IN_FILES >> 20} MiB" in README
    queue = (ROOT / "frontend" / "src" / "upload_queue.ts").read_text()
    [pieces] = re.findall(r"CHUNK_BYTES = (\d+) \* 2 \*\* 20;", queue)
    assert f"pieces of {pieces} MiB" in README


def test_its_backup_holds_all_but_what_is_made_anew_and_what_postgres_and_redis_keep() -> None:
    named = re.compile(r"""(?:ATLAS_HOME\)?|\bhome\.path) / "([a-z_.-]+)\"""")
    used = {name for path in (ROOT / "atlas").rglob("*.py") for name in named.findall(path.read_text())}
    left_out = set(re.findall(r"--exclude=\./(\w+)", README))

    ours = {"postgres", "redis", "demo_password", "static.stamp"}  # of `manage.py up` alone
    ours.add("compiled")  # the image keeps it elsewhere
    assert used - left_out - ours == {"media", "given", "maps", "builds", "secret_key", "beat-schedule"}
    assert left_out - used == {"models"}  # of Hugging Face: see the Dockerfile
