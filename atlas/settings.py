"""Every setting, read from the environment once; `environment.py` says what the words must look like."""

import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from atlas.cores import cores
from atlas.environment import (
    celery_url,
    database,
    env,
    envbool,
    envchoice,
    envint,
    envlist,
    s3_storage,
    single_sign_on,
    stored_secret_key,
)
from atlas.services.home import Home
from atlas.services.postgres import postgres_url
from atlas.services.redis import redis_url

BASE_DIR = Path(__file__).resolve().parent.parent

# What is ours, and what runs elsewhere -------------------------------------------------------------------

ATLAS_HOME = Path(env("ATLAS_HOME", str(BASE_DIR / ".atlas"))).expanduser().absolute()
DEFAULT_PORT = 8000
ATLAS_PORT = envint("ATLAS_PORT", DEFAULT_PORT, 1, 65535)
ATLAS_WORKERS = envint("ATLAS_WORKERS", min(4, cores()), 1, 256)
ATLAS_MODEL = env("ATLAS_MODEL", "nomic-v1.5")

DATABASE_URL = env("DATABASE_URL") or postgres_url(Home(ATLAS_HOME))
OWN_POSTGRES = not env("DATABASE_URL")
REDIS_URL = env("REDIS_URL") or redis_url(Home(ATLAS_HOME))
OWN_REDIS = not env("REDIS_URL")

DATABASES = {"default": database(DATABASE_URL, envint("ATLAS_DATABASE_POOL", 0, 0, 1000))}
CACHES = {
    "default": {
        "BACKEND": "atlas.cache.SharedRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
    }
}

# Safety ---------------------------------------------------------------------------------------------------

DEBUG = envbool("ATLAS_DEBUG")
SECRET_KEY = env("ATLAS_SECRET_KEY")
if not SECRET_KEY:
    if not (DEBUG or OWN_POSTGRES):
        raise ImproperlyConfigured(
            "ATLAS_SECRET_KEY must be set on a server: "
            "a long random text that every process shares and nobody else knows."
        )
    SECRET_KEY = stored_secret_key(ATLAS_HOME / "secret_key")
if len(SECRET_KEY) < 50 or len({*SECRET_KEY}) < 5:
    raise ImproperlyConfigured("ATLAS_SECRET_KEY must be a random text of at least 50 characters.")

# Keys of before: what they signed or sealed is still read, and sealed anew at the next start.
SECRET_KEY_FALLBACKS = envlist("ATLAS_SECRET_KEY_FALLBACKS")

# The names for ourselves are always good: health checks and `make demo` use them.
ALLOWED_HOSTS = [*envlist("ATLAS_ALLOWED_HOSTS"), "127.0.0.1", "localhost"]
# True where people reach the site by https, that is behind a proxy that ends it there.
TLS = envbool("ATLAS_TLS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = TLS
SECURE_REDIRECT_EXEMPT = [r"^health$"]
# Browsers send a cookie to every port of a machine: copies side by side would sign people out of each other.
_BESIDE = "" if ATLAS_PORT == DEFAULT_PORT else f"_{ATLAS_PORT}"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"sessionid{_BESIDE}", f"csrftoken{_BESIDE}"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if TLS else 0
# Subdomains and preload lists would bind hosts that are not ours to bind: security.W005, W021.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Rooms ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "atlas.services",
    "atlas.teams",
    "atlas.datasets",
    "atlas.maps",
    "atlas.search",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "ninja",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "atlas.csp.ContentSecurityPolicy",
    "atlas.connections.ConnectionsInTime",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "atlas.teams.key_middleware.ApiKeys",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "atlas.errors.Refusals",
]
ROOT_URLCONF = "atlas.urls"
ASGI_APPLICATION = "atlas.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "atlas" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {
                "accounts": "atlas.teams.tags",
                "status": "atlas.status",
                "vite": "atlas.vite",
            },
        },
    }
]

# People ---------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "teams.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# An invitation to a team lets its holder sign up where it says "invitation".
ATLAS_SIGN_UP = envchoice("ATLAS_SIGN_UP", "open", ("open", "invitation", "closed"))
ACCOUNT_ADAPTER = "atlas.teams.adapter.AccountAdapter"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "atlas.teams.forms.SignUpForm"
ACCOUNT_FORMS = {
    name: f"atlas.teams.account_forms.{form}"
    for name, form in {
        "login": "LoginForm",
        "signup": "SignupForm",
        "add_email": "AddEmailForm",
        "change_password": "ChangePasswordForm",
        "set_password": "SetPasswordForm",
        "reset_password": "ResetPasswordForm",
        "reset_password_from_key": "ResetPasswordKeyForm",
        "reauthenticate": "ReauthenticateForm",
    }.items()
}
# Without a mail server nobody could ever confirm an address.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if env("ATLAS_EMAIL_HOST") else "none"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if TLS else "http"
# One address for each account; another one counts once the link in its mail is followed.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Atlas: "

USERSESSIONS_ADAPTER = "atlas.teams.adapter.SessionsAdapter"
MFA_ADAPTER = "atlas.teams.adapter.MFAAdapter"
MFA_FORMS = {
    "authenticate": "atlas.teams.account_forms.SecondStepForm",
    "reauthenticate": "atlas.teams.account_forms.SecondStepAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Atlas"
# Clocks of phones are off by some seconds.
MFA_TOTP_TOLERANCE = 1
# Where addresses must be confirmed, an account cannot be used before; elsewhere there is nothing to wait for.
MFA_ALLOW_UNVERIFIED_EMAIL = True

SOCIALACCOUNT_ADAPTER = "atlas.teams.adapter.SingleSignOnAdapter"
SOCIALACCOUNT_FORMS = {"signup": "atlas.teams.account_forms.SingleSignOnForm"}
SOCIALACCOUNT_PROVIDERS = single_sign_on(
    env("ATLAS_OIDC_ISSUER"),
    env("ATLAS_OIDC_CLIENT_ID"),
    env("ATLAS_OIDC_CLIENT_SECRET"),
    env("ATLAS_OIDC_NAME"),
)
# Whether whoever the provider knows gets an account, whatever ATLAS_SIGN_UP says.
ATLAS_OIDC_SIGN_UP = envbool("ATLAS_OIDC_SIGN_UP")
# Whose address both the provider and we have confirmed gets both ways to sign in.
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True

# E-mail: none without a server for it; in the log their secret links would be open to its readers ----------

EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if env('ATLAS_EMAIL_HOST') else 'dummy'}.EmailBackend"
EMAIL_HOST = env("ATLAS_EMAIL_HOST")
EMAIL_PORT = envint("ATLAS_EMAIL_PORT", 587, 1, 65535)
EMAIL_HOST_USER = env("ATLAS_EMAIL_USER")
EMAIL_HOST_PASSWORD = env("ATLAS_EMAIL_PASSWORD")
EMAIL_USE_TLS = envbool("ATLAS_EMAIL_TLS", default=True)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("ATLAS_EMAIL_FROM", "Atlas <atlas@localhost>")

# Files ----------------------------------------------------------------------------------------------------

# numba keeps what it compiled beside the code, and ends the process of somebody who may not write there.
if not os.access(BASE_DIR / "atlas", os.W_OK):
    os.environ.setdefault("NUMBA_CACHE_DIR", str(ATLAS_HOME / "compiled"))

MEDIA_ROOT = ATLAS_HOME / "media"
S3_BUCKET = env("ATLAS_S3_BUCKET")
S3_ENDPOINT = env("ATLAS_S3_ENDPOINT")
FILE_STORAGE: dict[str, Any] = {"BACKEND": "atlas.datasets.storage.ContentStorage"}
if S3_BUCKET:
    FILE_STORAGE = s3_storage(S3_BUCKET, S3_ENDPOINT)

STORAGES = {
    "default": FILE_STORAGE,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
FRONTEND = BASE_DIR / "frontend" / "dist"
VITE_MANIFEST = FRONTEND / "manifest.json"
STATICFILES_DIRS = [FRONTEND]
STATIC_ROOT = ATLAS_HOME / "static"
STATIC_URL = "/static/"
# Vite puts a hash of the content into every name below assets/.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/assets/.+-[A-Za-z0-9_-]{8}\.\w+$"
ATLAS_UPLOAD_BYTES = envint("ATLAS_UPLOAD_BYTES", 50 << 30, 1, 1 << 50)
# An upload that nobody continues for so long is thrown away.
ATLAS_UPLOAD_DAYS = envint("ATLAS_UPLOAD_DAYS", 7, 1, 365)
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 << 20
# Larger bodies, and files in them, come to the disk: many at once, or slow ones, would fill the memory.
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 << 10
# The nomic client sends up to 512 pictures as files of one request.
DATA_UPLOAD_MAX_NUMBER_FILES = 600
# Whether a search may name the address of a picture, which the server then fetches (see search/remote.py).
ATLAS_SEARCH_URLS = envbool("ATLAS_SEARCH_URLS")
# Of one person, API key or, nameless, address: the query worker is there for everybody.
ATLAS_SEARCHES_PER_MINUTE = envint("ATLAS_SEARCHES_PER_MINUTE", 600, 1, 10**9)
# Lines of the audit log that are older go; 0: none ever does.
ATLAS_AUDIT_DAYS = envint("ATLAS_AUDIT_DAYS", 0, 0, 36500)
# A text search configuration of Postgres, by which the migrations make the one of this database.
ATLAS_LANGUAGE = env("ATLAS_LANGUAGE", "english")
# How much one upload may hold (`embeddings.readers.Limits`); past these an item is skipped and reported.
ATLAS_LIMITS = {
    # No more than the towers decode (`embeddings.pixels.MAX_PIXELS`): what they cannot see is on no map.
    "pixels": envint("ATLAS_LIMIT_PIXELS", 120_000_000, 1, 128 << 20),
    "picture_bytes": envint("ATLAS_LIMIT_PICTURE_BYTES", 100 << 20, 1, 1 << 32),
    "ratio": envint("ATLAS_LIMIT_RATIO", 200, 1, 10**6),
    "total_bytes": envint("ATLAS_LIMIT_TOTAL_BYTES", 1 << 40, 1, 1 << 60),
    "entries": envint("ATLAS_LIMIT_ENTRIES", 4_000_000, 1, 10**8),
    "rows": envint("ATLAS_LIMIT_ROWS", 2_000_000, 1, 10**8),
    "caption_length": envint("ATLAS_LIMIT_CAPTION_LENGTH", 10_000, 1, 10**6),
}

# Work in the background -----------------------------------------------------------------------------------

# Nobody reads a result: what a task finds is in Postgres, or comes back as `search/replies.py` says.
CELERY_BROKER_URL = celery_url(REDIS_URL)
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# A worker keeps its connection from task to task, as long as CONN_MAX_AGE says (see atlas/celery.py): to
# open one takes Postgres longer than most of what a search asks.
CELERY_DB_REUSE_MAX = 1_000_000_000
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_CONCURRENCY = ATLAS_WORKERS
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Longer than any task: a message that comes back sooner would start a task a second time.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 3600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "build"
CELERY_TASK_ROUTES = {
    "atlas.datasets.*": {"queue": "ingest"},
    "atlas.maps.tasks.embed*": {"queue": "embed"},
    "atlas.maps.*": {"queue": "build"},
    "atlas.search.tasks.remove_unused_pictures": {"queue": "build"},
    "atlas.search.*": {"queue": "query"},
}
CELERY_BEAT_SCHEDULER = "atlas.beat:Scheduler"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "imports of killed workers": {
        "task": "atlas.datasets.tasks.requeue_orphans",
        "schedule": 10,
        "options": {"expires": 10},
    },
    "expired uploads": {"task": "atlas.datasets.tasks.remove_expired_uploads", "schedule": 3600},
    "builds that stand still": {"task": "atlas.maps.tasks.rescue", "schedule": 5, "options": {"expires": 5}},
    "ended sessions": {"task": "atlas.teams.tasks.clear_sessions", "schedule": 24 * 3600},
    "old lines of the audit log": {"task": "atlas.teams.tasks.prune_audit", "schedule": 3600},
    "indexes of large sets": {
        "task": "atlas.maps.tasks.index_large_sets",
        "schedule": 300,
        "options": {"expires": 300},
    },
    "old versions of maps": {"task": "atlas.maps.tasks.sweep", "schedule": 3600},
    "old pictures of queries": {"task": "atlas.search.tasks.remove_unused_pictures", "schedule": 3600},
}

# Words, time, log -----------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s: %(message)s"}},
    # A part that is away is news once, not at every question of a watchdog.
    "filters": {
        "not_health": {"()": "atlas.health.OtherPages"},
        "without_secrets": {"()": "atlas.log_filters.WithoutSecrets"},
        "strangers": {"()": "atlas.log_filters.StrangersInOneLine"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["not_health", "without_secrets", "strangers"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
}
