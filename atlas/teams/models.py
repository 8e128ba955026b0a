"""People, teams and roles: who may see and change what a team owns."""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.urls import reverse

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
        return self.get_full_name() or self.email

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
        """The teams in which the person who asks holds at least this role; none for an anonymous visitor."""
        if not asker.user.is_authenticated:
            return self.none()
        held = Membership.objects.filter(user=asker.user, role__in=AT_LEAST[at_least])
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
