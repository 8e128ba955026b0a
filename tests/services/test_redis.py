"""The embedded Redis."""

import redis

from atlas.services.home import Home
from atlas.services.redis import redis_url
from tests.embedded import embedded_services


def test_it_keeps_what_was_written_over_a_restart(made_home: Home) -> None:
    with embedded_services(made_home), redis.Redis.from_url(redis_url(made_home)) as client:
        client.xadd("stream", {"word": "kept"})
    with embedded_services(made_home), redis.Redis.from_url(redis_url(made_home)) as client:
        assert client.xrange("stream")[0][1] == {b"word": b"kept"}


def test_it_logs_every_write_takes_no_snapshots_and_listens_on_no_port(made_home: Home) -> None:
    with embedded_services(made_home), redis.Redis.from_url(redis_url(made_home)) as client:
        settings = client.config_get("*")
    assert settings["appendonly"] == "yes"
    assert settings["save"] == ""
    assert settings["port"] == "0"
    assert settings["maxmemory-policy"] == "noeviction"
