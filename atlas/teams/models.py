"""People, teams, roles, share links, guests and API keys: who may see and change what a team owns; and the
log of what they did about it."""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

if TYPE_CHECKING:
    from atlas.teams.asker import Asker


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractUser):
    """A person, known by an e-mail address."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        """What others call them: visitors of a public map read it too, so never the whole address."""
        return self.get_full_name() or self.email.partition("@")[0]

    @property
    def initials(self) -> str:
        """One or two letters for where there is no room for more."""
        words = self.get_full_name().split() or [self.email]
        return "".join(word[0] for word in (words[0], *words[1:][-1:])).upper()


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    EDITOR = "editor", "Editor"
    VIEWER = "viewer", "Viewer"


#: The roles that may do what the named role may do.
AT_LEAST: dict[Role, tuple[Role, ...]] = {
    Role.VIEWER: (Role.OWNER, Role.EDITOR, Role.VIEWER),
    Role.EDITOR: (Role.OWNER, Role.EDITOR),
    Role.OWNER: (Role.OWNER,),
}


class TeamQuerySet(models.QuerySet["Team"]):
    def of(self, asker: "Asker", at_least: Role = Role.VIEWER) -> "TeamQuerySet":
        """The teams in which who asks holds at least this role; none for an anonymous visitor.

        An API key asks for its maker in its team, and never as an owner.
        """
        if not asker.user.is_authenticated:
            return self.none()
        held = Membership.objects.filter(user=asker.user, role__in=AT_LEAST[at_least])
        if asker.key is not None:
            if at_least == Role.OWNER or (at_least == Role.EDITOR and not asker.may_write):
                return self.none()
            held = held.filter(team=asker.key.team_id)
        return self.filter(pk__in=held.values("team"))


class Team(models.Model):
    """Who owns datasets."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ("name", "slug")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("datasets:team", args=[self.slug])


class Membership(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["team", "user"], name="one_membership_per_team_and_user"),
        )

    def __str__(self) -> str:
        return f"{self.user} in {self.team}: {self.role}"


#: Characters of what an address says after "#". A lasso takes many.
LONGEST_VIEW = 100_000


class Scope(models.TextChoices):
    """What a share link lets its visitors do; each includes the ones before it."""

    VIEW = "view", "View"
    COMMENT = "comment", "View and comment"
    TAG = "tag", "View, comment and tag"


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def in_force(self) -> "ShareLinkQuerySet":
        """Whether the dataset takes links at all is the dataset's matter."""
        return self.filter(_in_force())


def _in_force() -> Q:
    """Neither revoked nor expired."""
    return Q(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)


class ShareLink(models.Model):
    """An address that opens one dataset to whoever has it; what it says is in `links.py`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: Datasets are a room above: known by their id only, and they remove what is here when they go.
    dataset_id = models.UUIDField(db_index=True)
    #: For whom it is, in the words of who made it.
    name = models.CharField(max_length=80, blank=True)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.VIEW)
    #: As Django's hasher writes it; "" = none is asked.
    password = models.CharField(max_length=200, blank=True)
    hide_originals = models.BooleanField(default=False)
    hide_captions = models.BooleanField(default=False)
    #: What the visitor sees first: the explorer's state as in an address after "#"; "" = the whole map.
    start_view = models.TextField(max_length=LONGEST_VIEW, blank=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    #: How often it was opened, and when last.
    used = models.PositiveIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name or f"link of {self.created_at:%Y-%m-%d}"

    @property
    def in_force(self) -> bool:
        return self.revoked_at is None and not self.expired

    @property
    def expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class GuestRole(models.TextChoices):
    """What a guest may do; each includes the ones before it."""

    VIEWER = "viewer", "May view"
    COMMENTER = "commenter", "May comment"
    EDITOR = "editor", "May edit"


class GuestQuerySet(models.QuerySet["Guest"]):
    def of(self, asker: "Asker", at_least: GuestRole = GuestRole.VIEWER) -> "GuestQuerySet":
        """Where the person who asks is a guest with at least this role; nowhere for an anonymous visitor, and
        for an API key, which is for one team."""
        if not asker.user.is_authenticated or asker.key is not None:
            return self.none()
        ladder = GuestRole.values
        return self.filter(user=asker.user, role__in=ladder[ladder.index(at_least) :])


class Guest(models.Model):
    """A person outside the team with a role in one of its datasets."""

    #: Like that of a share link.
    dataset_id = models.UUIDField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=GuestRole.choices, default=GuestRole.VIEWER)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = GuestQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.UniqueConstraint(fields=["dataset_id", "user"], name="one_role_per_dataset_and_guest"),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> "InvitationQuerySet":
        """Neither used nor revoked nor expired."""
        return self.filter(used_at=None, revoked_at=None, expires_at__gt=timezone.now())

    def revoke(self) -> None:
        """For good; a used one stays used."""
        self.open().update(revoked_at=timezone.now())


class Invitation(models.Model):
    """An address that makes one person a member of a team, once; what it says is in `invitations.py`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    #: To whom it was sent. Whoever holds the address may use it, with an account of any e-mail address.
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    #: Who made an account with it: where people sign up by invitation, each lets one do so.
    account = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.email} to {self.team}: {self.role}"


class KeyScope(models.TextChoices):
    """What an API key lets its holder do; WRITE includes READ."""

    READ = "read", "Look and search"
    WRITE = "write", "Also import, build, tag, comment and rename"
    EMBED = "embed", "Turn texts and pictures into vectors"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> "ApiKeyQuerySet":
        """Those in force whose maker is still on the team."""
        makers = Membership.objects.filter(
            team=OuterRef("team"), user=OuterRef("created_by"), user__is_active=True
        )
        return self.filter(_in_force(), Exists(makers))


class ApiKey(models.Model):
    """What a program shows instead of signing in; how it is made and read is in `keys.py`.

    It acts as who made it, in one team and within its scopes: what they may no longer do, it may not either.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    #: What it is for, in the words of who made it.
    name = models.CharField(max_length=80)
    #: Its first characters, by which it is found and recognised: no secret.
    prefix = models.CharField(max_length=16, unique=True)
    #: SHA-256 of the whole key, in hex: enough for a text of 238 random bits.
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=10, choices=KeyScope.choices))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    #: To the minute.
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name

    def allows(self, scope: KeyScope) -> bool:
        return scope in self.scopes or (scope == KeyScope.READ and KeyScope.WRITE in self.scopes)

    @property
    def scope_words(self) -> list[str]:
        return [KeyScope(scope).label for scope in self.scopes]

    @property
    def expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class AuditVerb(models.TextChoices):
    """What the audit log tells of; the words are for programs that read it and never change."""

    SIGNED_UP = "signed_up", "Account made"
    SIGNED_IN = "signed_in", "Signed in"
    SIGNED_OUT = "signed_out", "Signed out"
    SIGN_IN_FAILED = "sign_in_failed", "Sign-in failed"
    SESSIONS_ENDED = "sessions_ended", "Signed out elsewhere"
    PASSWORD_CHANGED = "password_changed", "Password changed"
    EMAIL_CHANGED = "email_changed", "E-mail address changed"
    SECOND_STEP_ADDED = "second_step_added", "Two-step sign-in on"
    SECOND_STEP_REMOVED = "second_step_removed", "Two-step sign-in off"
    ACCOUNT_DELETED = "account_deleted", "Account deleted"
    ACCOUNT_CLOSED = "account_closed", "Account closed"
    ACCOUNT_REOPENED = "account_reopened", "Account opened again"
    KEY_MADE = "key_made", "API key made"
    KEY_USED = "key_used", "API key first used"
    KEY_REVOKED = "key_revoked", "API key revoked"
    INVITED = "invited", "Invitation sent"
    INVITATION_REVOKED = "invitation_revoked", "Invitation revoked"
    JOINED = "joined", "Member joined"
    ROLE_CHANGED = "role_changed", "Role changed"
    MEMBER_REMOVED = "member_removed", "Member removed"
    GUEST_ADDED = "guest_added", "Guest added"
    GUEST_REMOVED = "guest_removed", "Guest removed"
    LINK_MADE = "link_made", "Share link made"
    LINK_REVOKED = "link_revoked", "Share link revoked"
    VISIBILITY_CHANGED = "visibility_changed", "Visibility changed"
    DATASET_DELETED = "dataset_deleted", "Dataset deleted"
    DATASET_TRANSFERRED = "dataset_transferred", "Dataset transferred"
    TEAM_RENAMED = "team_renamed", "Team renamed"
    TEAM_DELETED = "team_deleted", "Team deleted"
    LINK_CHANGED = "link_changed", "Share link changed"
    FRAMES_CHANGED = "frames_changed", "Sites that may embed changed"


class AuditEvent(models.Model):
    """A line of the audit log: who did what about safety, when and from where. Never a secret.

    The database refuses to change one, and to remove one before its time (see `prune_audit`). So there are no
    foreign keys: people and teams go, what they did stays.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    verb = models.CharField(max_length=30, choices=AuditVerb.choices)
    #: The rest of what is to be known, as a phrase: "“nightly import”, may look and search".
    text = models.CharField(max_length=300, blank=True)
    #: Who did it; NULL: nobody who was signed in. The address is that of the moment.
    user_id = models.BigIntegerField(null=True)
    who = models.EmailField(blank=True)
    #: Whose account it is about, where that is somebody else's.
    about_id = models.BigIntegerField(null=True)
    #: Whose owners see it.
    team_id = models.UUIDField(null=True)
    #: The IP address that it came from; NULL where there is none.
    address = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["team_id", "-id"], name="audit_of_a_team"),
            models.Index(fields=["user_id", "-id"], name="audit_of_a_person"),
            models.Index(fields=["about_id", "-id"], name="audit_about_a_person"),
        )

    def __str__(self) -> str:
        return f"{self.who or 'somebody'}: {self.get_verb_display()}"
