"""The rules of `test_matrix.py`: who may call each address of the site, and what everybody else is told.

A new address needs a line in `PAGES` (Django's) or `OPERATIONS` (the HTTP API's).
"""

from dataclasses import dataclass, field
from typing import Any

# Who asks, see `test_matrix.py` --------------------------------------------------------------------------

TEAM = {"owner", "editor", "viewer"}
GUESTS = {"guest viewer", "guest commenter", "guest editor"}
LINKS = {"link to view", "link to comment", "link to tag"}
STRANGERS = {"of another team", "outsider"}
#: No session of a person; the last one has opened a link that was revoked meanwhile.
NAMELESS = {"anonymous", "link that hides", "revoked link", *LINKS}
#: Programs; on pages, where no key is looked at, they are anonymous. The owner made all but the last one.
ENDED_KEYS = {"revoked key", "expired key"}
KEYS = {"read key", "write key", "embed key", *ENDED_KEYS, "key of another team"}
EVERYBODY = TEAM | GUESTS | STRANGERS | NAMELESS

# What they may -------------------------------------------------------------------------------------------

SEE = TEAM | GUESTS | LINKS | {"link that hides", "read key", "write key"}
#: Also what a link may hide.
SEE_ALL = SEE - {"link that hides"}
COMMENT = TEAM | {"guest commenter", "guest editor", "link to comment", "link to tag", "write key"}
#: Read what is said.
DISCUSS = COMMENT | {"read key"}
#: Read who did what.
WORK = DISCUSS - LINKS
EDIT = {"owner", "editor", "guest editor", "write key"}
TAG = EDIT | {"link to tag"}
OWN = {"owner"}
SIGNED_IN = EVERYBODY - NAMELESS | {"write key", "key of another team"}
#: An editor of some team, who may make datasets there.
MAKE = SIGNED_IN - {"outsider"}
#: Of what is the owner's own, not of what owners may.
OWNERS_OWN = OWN | {"write key"}
NOBODY: set[str] = set()


@dataclass(frozen=True)
class Rule:
    #: Who may.
    who: set[str]
    #: What they are answered. Not always 200: a call that could go on would cost more than it shows.
    status: int = 200
    #: A body as JSON, a form, or neither. UPLOAD: an upload of who asks, not complete. NAME: the dataset's.
    json: Any = None
    form: dict[str, str] | None = None
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    #: What others are answered.
    refusal: int = 404
    #: What some who may call it are answered instead: a refusal about this one thing.
    instead: dict[str, int] = field(default_factory=dict)
    #: What others are answered who are not signed in, where that differs.
    nameless: int | None = None
    #: Only API keys are let in, each by its own scope.
    by_key: bool = False
    #: It never asks who calls: not even a key's scope.
    asks_nobody: bool = False


def page(who: set[str], status: int = 200, **more: Any) -> Rule:
    """A page for people who are signed in: others are sent to the sign-in."""
    return Rule(who, status, nameless=302, **more)


def allauth(status: int) -> Rule:
    """Of allauth, about nothing but who asks; what its pages do is tested where they are set up."""
    return Rule(EVERYBODY, status)


PAGES: dict[str, Rule] = {
    # The workers do not run here.
    "GET /health": Rule(EVERYBODY, 503),
    # Datasets
    "GET /": Rule(EVERYBODY),
    # Whoever edits no team is sent to make one.
    "GET /new": page(MAKE, refusal=302),
    "GET /data/{team}": Rule(SEE),
    "GET /data/{team}/{slug}": Rule(SEE),
    "GET /data/{team}/{slug}/add": page(EDIT),
    "GET /data/{team}/{slug}/settings": page(EDIT),
    "POST /data/{team}/{slug}/settings": page(EDIT, 302, form={"name": "New"}),
    # Nobody is on two teams here.
    "POST /data/{team}/{slug}/transfer": Rule(NOBODY, nameless=302),
    "POST /data/{team}/{slug}/delete": page(OWN, 302, form={"confirmation": "NAME"}),
    "GET /data/{team}/{slug}/imports/{import_id}": Rule(SEE_ALL),
    # Sharing
    "GET /data/{team}/{slug}/sharing": page(OWN),
    "POST /data/{team}/{slug}/sharing/visibility": page(OWN, 302, form={"visibility": "public"}),
    "POST /data/{team}/{slug}/sharing/links": page(OWN, 302, form={"scope": "view"}),
    "GET /data/{team}/{slug}/sharing/links/{link_id}": page(OWN),
    "POST /data/{team}/{slug}/sharing/links/{link_id}": page(OWN, 302, form={"scope": "comment"}),
    "POST /data/{team}/{slug}/sharing/links/{link_id}/revoke": page(OWN, 302),
    "POST /data/{team}/{slug}/sharing/guests": page(
        OWN, 302, form={"email": "charlie@example.org", "role": "viewer"}
    ),
    "POST /data/{team}/{slug}/sharing/guests/{guest_id}/remove": page(OWN, 302),
    "POST /data/{team}/{slug}/sharing/embedding": page(OWN, 302, form={"hosts": "example.org"}),
    "GET /s/{token}": Rule(EVERYBODY, 302),
    # No password is asked for.
    "POST /s/{token}": Rule(EVERYBODY, 302),
    # Teams
    "GET /teams/new": page(SIGNED_IN),
    "POST /teams/new": page(SIGNED_IN, 302, form={"name": "New"}),
    "GET /teams/{team}/members": page(TEAM),
    "POST /teams/{team}/name": page(OWN, 302, form={"name": "New"}),
    "POST /teams/{team}/members/{user_id}/role": page(OWN, 302, form={"role": "editor"}),
    "POST /teams/{team}/members/{user_id}/remove": page({"owner", "viewer"}, 302),
    "POST /teams/{team}/invitations": page(OWN, 302, form={"email": "ina@example.org", "role": "viewer"}),
    "POST /teams/{team}/invitations/{invitation_id}/revoke": page(OWN, 302),
    "GET /teams/{team}/keys": page(TEAM),
    "POST /teams/{team}/keys": page(
        {"owner", "editor"}, form={"name": "New", "scopes": "read", "expires": "30"}
    ),
    "POST /teams/{team}/keys/{key_id}/revoke": page(OWN, 302),
    "GET /teams/{team}/log": page(OWN),
    "GET /teams/{team}/delete": page(OWN),
    "POST /teams/{team}/delete": page(OWN, 422, form={"confirmation": "no"}),
    "GET /account/activity": page(SIGNED_IN),
    "GET /join/{invite}": Rule(EVERYBODY),
    "POST /join/{invite}": page(SIGNED_IN, 302),
    "POST /join/{invite}/decline": page(SIGNED_IN, 302),
    # Uploads: each is its user's alone, and that of the keys of a team what came with one of them
    "POST /uploads/": Rule(
        SIGNED_IN, 201, headers={"Tus-Resumable": "1.0.0", "Upload-Length": "3"}, refusal=401
    ),
    "HEAD /uploads/{upload_id}": Rule(
        OWNERS_OWN, headers={"Tus-Resumable": "1.0.0"}, nameless=401, instead={"write key": 404}
    ),
    "PATCH /uploads/{upload_id}": Rule(
        OWNERS_OWN, 415, headers={"Tus-Resumable": "1.0.0"}, nameless=401, instead={"write key": 404}
    ),
    "DELETE /uploads/{upload_id}": Rule(
        OWNERS_OWN, 204, headers={"Tus-Resumable": "1.0.0"}, nameless=401, instead={"write key": 404}
    ),
    "GET /search": Rule(EVERYBODY),
    # Maps; a dataset that is not public is not embedded, whoever asks
    "GET /data/{team}/{slug}/map": Rule(SEE),
    "GET /data/{team}/{slug}/preview.png": Rule(SEE_ALL),
    "GET /embed/{team}/{slug}": Rule(NOBODY),
    "GET /maps/{map_id}/{version_id}/{name}": Rule(SEE),
    "GET /maps/{map_id}/{version_id}/from/{other_id}/{z}-{x}-{y}.bin": Rule(SEE),
    "GET /api/maps/{map_id}/tags.bin": Rule(SEE),
    "POST /api/maps/{map_id}/glow": Rule(SEE, json={"parts": [{"row": 1}]}),
    "GET /api/datasets/{dataset_id}/events": Rule(SEE),
    # The API about itself
    "GET /api/": Rule(EVERYBODY, 404, asks_nobody=True),
    "GET /api/docs": Rule(EVERYBODY, asks_nobody=True),
    "GET /api/openapi.json": Rule(EVERYBODY, asks_nobody=True),
    # What the nomic client calls, by key only
    "GET /v1/": Rule(EVERYBODY, 404, asks_nobody=True),
    "GET /v1/docs": Rule(EVERYBODY, asks_nobody=True),
    "GET /v1/openapi.json": Rule(EVERYBODY, asks_nobody=True),
    "GET /v1/user": Rule(KEYS - ENDED_KEYS, refusal=401, by_key=True),
    "POST /v1/embedding/text": Rule({"embed key"}, json={"texts": ["red"]}, refusal=401, by_key=True),
    "POST /v1/embedding/image": Rule({"embed key"}, 422, refusal=401, by_key=True),
    # Accounts
    "GET /accounts/login/": Rule(NAMELESS, refusal=302),
    "GET /accounts/signup/": Rule(NAMELESS, refusal=302),
    "GET /accounts/logout/": page(SIGNED_IN),
    "GET /accounts/inactive/": allauth(200),
    "GET /accounts/reauthenticate/": page(SIGNED_IN),
    "GET /accounts/email/": page(SIGNED_IN),
    "GET /accounts/confirm-email/": allauth(200),
    "GET /accounts/confirm-email/{key}/": allauth(200),
    "GET /accounts/password/change/": page(SIGNED_IN),
    "GET /accounts/password/set/": allauth(302),
    "GET /accounts/password/reset/": allauth(200),
    "GET /accounts/password/reset/done/": allauth(200),
    "GET /accounts/password/reset/key/{uidb36}-{key}/": allauth(200),
    "GET /accounts/password/reset/key/done/": allauth(200),
    "GET /accounts/login/code/confirm/": allauth(302),
    "GET /accounts/2fa/": page(SIGNED_IN),
    "GET /accounts/2fa/authenticate/": allauth(302),
    "GET /accounts/2fa/reauthenticate/": allauth(302),
    # After typing the password once more; without a second step there is nothing to show.
    "GET /accounts/2fa/totp/activate/": allauth(302),
    "GET /accounts/2fa/totp/deactivate/": page(SIGNED_IN, 404),
    "GET /accounts/2fa/recovery-codes/": page(SIGNED_IN, 404),
    "GET /accounts/2fa/recovery-codes/generate/": page(SIGNED_IN, 302),
    "GET /accounts/2fa/recovery-codes/download/": page(SIGNED_IN, 404),
    "GET /accounts/2fa/webauthn/": page(SIGNED_IN),
    "GET /accounts/2fa/webauthn/add/": allauth(302),
    "GET /accounts/2fa/webauthn/keys/{pk}/edit/": allauth(302),
    "GET /accounts/2fa/webauthn/keys/{pk}/remove/": allauth(302),
    "GET /accounts/2fa/webauthn/login/": allauth(302),
    "GET /accounts/2fa/webauthn/reauthenticate/": allauth(302),
    "GET /accounts/sessions/": page(SIGNED_IN),
    "GET /account": page(SIGNED_IN),
    "POST /account": page(SIGNED_IN, 302, form={"name": "New"}),
    # After typing the password once more.
    "GET /account/delete": allauth(302),
    "POST /account/delete": allauth(302),
    # The session is the owner's.
    "POST /account/sessions/{session_id}/end": page(OWN, 302),
    # Single sign-on, which is not set up here.
    "GET /accounts/3rdparty/": page(SIGNED_IN),
    "GET /accounts/3rdparty/login/cancelled/": allauth(200),
    "GET /accounts/3rdparty/login/error/": allauth(401),
    "GET /accounts/3rdparty/signup/": allauth(302),
    "GET /accounts/oidc/{provider_id}/login/": allauth(404),
    "GET /accounts/oidc/{provider_id}/login/callback/": allauth(404),
    "GET /accounts/social/connections/": allauth(301),
    "GET /accounts/social/login/cancelled/": allauth(301),
    "GET /accounts/social/login/error/": allauth(301),
    "GET /accounts/social/signup/": allauth(301),
}

DATASET = "/api/datasets/{dataset_id}"
IMPORT = f"{DATASET}/imports/{{import_id}}"
MAP = "/api/maps/{map_id}"
COMMENT_PATH = f"{DATASET}/comments/{{comment_id}}"
TAG_PATH = f"{DATASET}/tags/{{tag_id}}"
#: A GIF of one pixel.
DOT = "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="
NOT_THEIRS = dict.fromkeys(COMMENT - EDIT, 409)

OPERATIONS: dict[str, Rule] = {
    "GET /api/datasets": Rule(EVERYBODY),
    "POST /api/datasets": Rule(MAKE, 409, json={"uploads": ["UPLOAD"]}, nameless=401),
    f"GET {DATASET}": Rule(SEE),
    f"PATCH {DATASET}": Rule(EDIT, json={"name": "New"}),
    f"DELETE {DATASET}": Rule(OWN, 202),
    f"GET {DATASET}/imports": Rule(SEE_ALL),
    f"POST {DATASET}/imports": Rule(EDIT, 409, json={"uploads": ["UPLOAD"]}),
    f"GET {IMPORT}": Rule(SEE_ALL),
    f"POST {IMPORT}/start": Rule(EDIT, 409, json={}),
    f"POST {IMPORT}/cancel": Rule(EDIT, 409),
    f"POST {IMPORT}/retry": Rule(EDIT, 409),
    f"POST {IMPORT}/review": Rule(EDIT, 409),
    f"GET {IMPORT}/skipped": Rule(SEE_ALL),
    f"GET {IMPORT}/report.csv": Rule(SEE_ALL),
    f"GET {DATASET}/records": Rule(SEE, query="rows=0,1"),
    f"POST {DATASET}/records/remove": Rule(EDIT, json={"filter": {"rows": [1]}}),
    f"GET {DATASET}/records/{{row}}": Rule(SEE),
    f"GET {DATASET}/records/{{row}}/thumbnail": Rule(SEE),
    f"GET {DATASET}/records/{{row}}/original": Rule(SEE_ALL),
    f"GET {DATASET}/maps": Rule(SEE),
    f"GET {DATASET}/progress": Rule(SEE),
    f"POST {DATASET}/build": Rule(EDIT, json={}),
    f"POST {DATASET}/build/cancel": Rule(EDIT, 409),
    f"POST {DATASET}/build/retry": Rule(EDIT, 409),
    # Search. The saved one is the owner's, not shared: for others it does not exist.
    "POST /api/embed": Rule({"embed key"}, json={"texts": ["red"]}, refusal=401, by_key=True),
    f"POST {DATASET}/search": Rule(SEE, json={"parts": [{"row": 1}]}),
    "POST /api/search": Rule(EVERYBODY, json={"parts": [{"text": "red"}]}),
    f"POST {DATASET}/query-pictures": Rule(SEE, 201, json={"picture": DOT}),
    "GET /api/query-pictures/{picture_key}": Rule(SEE),
    f"GET {DATASET}/searches": Rule(SEE),
    f"POST {DATASET}/searches": Rule(
        COMMENT - NAMELESS, 201, json={"name": "All", "query": "q=red"}, nameless=401
    ),
    f"PATCH {DATASET}/searches/{{search_id}}": Rule(OWNERS_OWN, json={"name": "Reds"}, nameless=401),
    f"DELETE {DATASET}/searches/{{search_id}}": Rule(OWNERS_OWN, 204, nameless=401),
    f"GET {MAP}/records": Rule(SEE, query="ordinals=0,1"),
    f"GET {MAP}/records/{{row}}": Rule(SEE),
    f"GET {MAP}/records/{{row}}/neighbours": Rule(SEE),
    f"GET {MAP}/topics": Rule(SEE),
    f"PATCH {MAP}/topics/{{topic}}": Rule(EDIT, json={"name": "New"}),
    # Filters and tags
    f"POST {MAP}/select": Rule(SEE, json={"filter": {"rows": [1]}}),
    f"POST {DATASET}/table": Rule(SEE, json={}),
    f"POST {DATASET}/export": Rule(SEE, json={"format": "jsonl"}),
    f"POST {DATASET}/export/check": Rule(SEE, json={"format": "jsonl"}),
    f"GET {DATASET}/records/{{row}}/tags": Rule(SEE),
    f"GET {DATASET}/tags": Rule(SEE),
    f"POST {DATASET}/tags": Rule(TAG, 201, json={"name": "new"}),
    f"PATCH {TAG_PATH}": Rule(TAG, json={"name": "other"}, instead={"link to tag": 409}),
    f"DELETE {TAG_PATH}": Rule(TAG, 204, instead={"link to tag": 409}),
    f"POST {TAG_PATH}/records": Rule(TAG, json={"add": {"rows": [1]}}),
    # Working together. The comment and the view are the owner's.
    f"GET {DATASET}/comments": Rule(DISCUSS),
    f"POST {DATASET}/comments": Rule(COMMENT, 201, json={"text": "Hm.", "pin": {"row": 1}, "name": "Ina"}),
    f"POST {COMMENT_PATH}/replies": Rule(COMMENT, 201, json={"text": "Hm.", "name": "Ina"}),
    f"PATCH {COMMENT_PATH}": Rule(COMMENT, json={"resolved": True}),
    f"DELETE {COMMENT_PATH}": Rule(COMMENT, 204, instead=NOT_THEIRS),
    f"GET {DATASET}/views": Rule(SEE),
    f"POST {DATASET}/views": Rule(
        COMMENT - NAMELESS, 201, json={"name": "All", "hash": "at=0,0,1"}, nameless=401
    ),
    f"GET {DATASET}/views/{{view_id}}": Rule(SEE),
    f"PATCH {DATASET}/views/{{view_id}}": Rule(COMMENT, json={"name": "Reds"}, instead=NOT_THEIRS),
    f"DELETE {DATASET}/views/{{view_id}}": Rule(COMMENT, 204, instead=NOT_THEIRS),
    f"GET {DATASET}/activity": Rule(WORK),
}

RULES = PAGES | OPERATIONS
