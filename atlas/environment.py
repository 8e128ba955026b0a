"""From the environment's words to Django's settings; a wrong value stops the process with a sentence."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured

from atlas.services.home import Home


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def envbool(name: str, default: bool = False) -> bool:
    """`1`, `true`, `yes`, `on` and their opposites, in any case."""
    value = env(name, str(default)).lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, and is {value!r}.")


def envint(name: str, default: int, low: int, high: int) -> int:
    value = env(name, str(default))
    if not value.isdecimal() or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name} must be a whole number from {low} to {high}, and is {value!r}.")
    return int(value)


def envlist(name: str) -> list[str]:
    """Values separated by commas."""
    return [item.strip() for item in env(name).split(",") if item.strip()]


def envchoice(name: str, default: str, choices: tuple[str, ...]) -> str:
    value = env(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, and is {value!r}.")
    return value


def database(url: str, pool: int) -> dict[str, Any]:
    """Django's entry for a URL like `postgresql://user:password@host:port/name?option=value`.

    `pool` is the number of connections that the threads of this process share; 0 for none of that.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in ("postgresql", "postgres") or not name:
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:password@host:5432/name.")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host, port = options.pop("host", unquote(parts.hostname or "")), options.pop("port", parts.port or "")
    if pool:
        options["pool"] = {"min_size": 1, "max_size": pool, "timeout": 5}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": port,
        "OPTIONS": options,
        "CONN_MAX_AGE": 0 if pool else 60,
        # A restarted server costs nobody a failed request.
        "CONN_HEALTH_CHECKS": True,
    }


def s3_storage(bucket: str, endpoint: str) -> dict[str, Any]:
    """Django's entry for a bucket. Its keys come from where boto3 looks: AWS_ACCESS_KEY_ID, a role, …"""
    options = {"bucket_name": bucket, "endpoint_url": endpoint or None, "file_overwrite": True}
    return {"BACKEND": "atlas.datasets.bucket.ContentBucket", "OPTIONS": options}


def celery_url(url: str) -> str:
    """Celery's spelling of a Redis URL: it has its own for unix sockets, and believes any certificate unless
    told otherwise."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if parts.scheme == "redis":
        return url
    if parts.scheme == "rediss":
        return parts._replace(query=urlencode({"ssl_cert_reqs": "required"} | options)).geturl()
    if parts.scheme == "unix":
        # redis-py finds the password in either place, Celery only where other URLs have it.
        password = parts.password or quote(options.get("password", ""), safe="")
        owner = f"{parts.username or ''}:{password}@" if password else ""
        return f"redis+socket://{owner}{parts.path}?virtual_host={options.get('db', '0')}"
    raise ImproperlyConfigured("REDIS_URL must begin with redis://, rediss:// or unix://.")


def single_sign_on(issuer: str, client_id: str, secret: str, name: str) -> dict[str, Any]:
    """allauth's entry for the provider of OpenID Connect; {} for none."""
    if not issuer:
        return {}
    host = urlsplit(issuer).hostname
    if not host or not (issuer.startswith("https://") or host in ("localhost", "127.0.0.1")):
        raise ImproperlyConfigured(f"ATLAS_OIDC_ISSUER must be an https:// address, and is {issuer!r}.")
    if not client_id:
        raise ImproperlyConfigured("ATLAS_OIDC_CLIENT_ID must be set where ATLAS_OIDC_ISSUER is.")
    app = {
        "provider_id": "sso",
        "name": name or host,
        "client_id": client_id,
        "secret": secret,
        "settings": {"server_url": issuer.rstrip("/")},
    }
    return {"openid_connect": {"APPS": [app], "OAUTH_PKCE_ENABLED": True}}


def stored_secret_key(path: Path) -> str:
    """The key of this data folder, made at the first start; sessions survive a restart.

    Raises ImproperlyConfigured where the folder cannot be used: nothing looks at it earlier.
    """
    try:
        return _stored_secret_key(path)
    except OSError as error:
        raise ImproperlyConfigured(Home(path.parent).explain(error)) from error


def _stored_secret_key(path: Path) -> str:
    path.parent.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(fresh, path)  # of two processes at the same time, one makes the key
        fresh.unlink()
    return path.read_text()
