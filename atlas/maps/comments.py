"""Comments: pinned to a record, a place or a region of a map, or a selection; answered, resolved, removed."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from atlas.datasets.models import Dataset
from atlas.datasets.permit import permit
from atlas.maps.models import Comment
from atlas.teams.asker import Asker

#: A page draws a pin for each: more would be a wall. So many of one person, or of all who are not signed in,
#: leave room for the others.
MOST_COMMENTS, MOST_OF_ONE = 2000, 500


class CommentRefusedError(Exception):
    """A sentence for whoever wanted to comment."""


def comments_of(dataset: Dataset, resolved: bool | None) -> QuerySet[Comment]:
    """Oldest first, with their replies; of one state, or all."""
    found = Comment.objects.filter(dataset=dataset, parent=None).prefetch_related("replies")
    return found if resolved is None else found.filter(resolved=resolved)


def comment_of(dataset: Dataset, comment_id: UUID) -> Comment:
    """Raises Http404."""
    found = Comment.objects.filter(dataset=dataset, pk=comment_id).prefetch_related("replies").first()
    if found is None:
        raise Http404("There is no such comment.")
    return found


def write_comment(
    dataset: Dataset,
    asker: Asker,
    text: str,
    pin: dict[str, Any],
    *,
    name: str,
    to: Comment | None = None,
) -> Comment:
    """Raises CommentRefusedError: too many, a reply to a reply, or a visitor without a name."""
    if to is not None and to.parent_id is not None:
        raise CommentRefusedError("A reply cannot be answered; answer the comment itself.")
    if dataset.comments.count() >= MOST_COMMENTS:
        raise CommentRefusedError(f"A dataset holds at most {MOST_COMMENTS:,} comments. Remove some first.")
    author = asker.person
    if dataset.comments.filter(author=author).count() >= MOST_OF_ONE:
        whose = "One person holds" if author else "Visitors who are not signed in hold"
        raise CommentRefusedError(f"{whose} at most {MOST_OF_ONE} comments here. Remove some first.")
    called = str(author) if author else name.replace("\0", "").strip()
    if not called:
        raise CommentRefusedError("Say your name with the comment: you are not signed in.")
    return Comment.objects.create(
        dataset=dataset, parent=to, pin=pin, text=text, author=author, author_name=called[:150]
    )


def change_comment(
    comment: Comment, asker: Asker, *, text: str | None = None, resolved: bool | None = None
) -> None:
    """Whoever may comment may resolve; only the author rewrites. Raises CommentRefusedError."""
    if text is not None:
        if not asker.made(comment.author_id):
            raise CommentRefusedError("Only its author can change what a comment says.")
        if text != comment.text:
            comment.text, comment.edited_at = text, timezone.now()
    if resolved is not None:
        if comment.parent_id is not None:
            raise CommentRefusedError("A reply is not resolved; its comment is.")
        comment.resolved = resolved
    comment.save(update_fields=["text", "edited_at", "resolved"])


def remove_comment(comment: Comment, asker: Asker) -> None:
    """Its author may, and whoever may edit the dataset. Raises CommentRefusedError."""
    if not (asker.made(comment.author_id) or permit(asker, comment.dataset_id).may_edit):
        raise CommentRefusedError("Only its author, or an editor of the dataset, can remove a comment.")
    comment.delete()
