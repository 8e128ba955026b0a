"""The settings of a test run: those of the site, on a data folder of its own that is gone afterwards."""

import atexit
import json
import os
import shutil
import tempfile

# Made before the settings are read, which take their paths from it.
_home = tempfile.mkdtemp(prefix="atlas-test-")
os.chmod(_home, 0o711)  # noqa: S103 - as root, the services' user walks through
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["ATLAS_HOME"] = _home
os.environ["ATLAS_MODEL"] = "mini"
os.environ.setdefault("OMP_NUM_THREADS", "1")
for _name in ("DATABASE_URL", "REDIS_URL", "ATLAS_SECRET_KEY", "ATLAS_DEBUG", "ATLAS_TLS", "ATLAS_S3_BUCKET"):
    os.environ.pop(_name, None)

from atlas.settings import *  # noqa: E402, F403

# Hashing a password slowly is the point of the real one.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_HOST = "mail.example.org"
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# As if Vite had built each script into a file of its own: what pages hold does not depend on it.
_pages = [path.stem for path in (BASE_DIR / "frontend" / "src" / "pages").glob("*.ts")]  # noqa: F405
VITE_MANIFEST = ATLAS_HOME / "manifest.json"  # noqa: F405
VITE_MANIFEST.write_text(
    json.dumps({f"src/pages/{name}.ts": {"file": f"assets/{name}.js"} for name in _pages})
)
STATIC_ROOT.mkdir()  # noqa: F405 - empty, or whitenoise warns in every test
