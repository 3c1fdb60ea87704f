"""What a creator has made: posts, media in folders, lists of fans, mass messages, tracking links."""

from __future__ import annotations

from dataclasses import dataclass, field

from fankeep.secret import Secret

__all__ = [
    "Collection",
    "Comment",
    "Content",
    "CustomList",
    "Entitlement",
    "Folder",
    "Like",
    "MassMessage",
    "Media",
    "MediaLink",
    "Notification",
    "Post",
    "Template",
    "TrackingLink",
    "Upload",
    "Visit",
]

_PROCESSING_SECONDS = 2.0


@dataclass(slots=True, eq=False)
class Comment:
    """A comment under a post; ``author`` is somebody's uuid."""

    uuid: str
    author: str
    text: str
    created_at: float


@dataclass(slots=True, eq=False)
class Like:
    """A fan likes a post; ``fan`` is a uuid."""

    fan: str
    created_at: float


@dataclass(slots=True, eq=False)
class Collection:
    """A name under which posts are collected."""

    uuid: str
    label: str
    created_at: float


@dataclass(slots=True, eq=False)
class Post:
    """A post.

    Attributes:
        price: in US cents; None for a free one.
        publish_at: when it is to be published; None publishes at once.
        published_at: when it was, which a repost moves.
        collections: uuids.
    """

    uuid: str
    created_at: float
    audience: str
    text: str | None = None
    price: int | None = None
    media: tuple[str, ...] = ()
    preview: str | None = None
    publish_at: float | None = None
    published_at: float | None = None
    expires_at: float | None = None
    pinned: bool = False
    collections: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list, repr=False)
    likes: list[Like] = field(default_factory=list, repr=False)

    def settle(self, now: float) -> bool:
        """Publish it when its time has come; True when it was published just now."""
        due = self.published_at is None and self.publish_at is not None and self.publish_at <= now
        if due:
            self.published_at = self.publish_at
        return due


@dataclass(slots=True, eq=False)
class Upload:
    """The parts that have arrived, by number, as their ETags.

    Attributes:
        key: signs the addresses of the parts.
    """

    id: str
    key: Secret[str] = field(repr=False)
    etags: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Media:
    """A picture, a film or the like.

    Attributes:
        kind: ``image``, ``video``, ``audio`` or ``document``.
        completed_at: when its upload was completed; None while it is under way.
    """

    uuid: str
    name: str
    kind: str
    created_at: float
    completed_at: float | None
    upload: Upload | None = None

    def status(self, now: float) -> str:
        """``created``, ``processing`` for a short while, then ``ready``."""
        if self.completed_at is None:
            return "created"
        return "ready" if now >= self.completed_at + _PROCESSING_SECONDS else "processing"


@dataclass(slots=True, eq=False)
class Entitlement:
    """A creator's leave for one consumer to see a medium.

    Attributes:
        consumer: somebody's uuid.
        source, reference: the creator's own words for why; together they are given once.
    """

    id: str
    media: str
    consumer: str
    source: str
    reference: str


@dataclass(slots=True, eq=False)
class MediaLink:
    """A medium that is sold by its link; ``buyers`` are uuids."""

    uuid: str
    media: str
    price: int
    buyers: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Folder:
    """A folder of the vault; ``media`` are uuids."""

    name: str
    created_at: float
    media: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CustomList:
    """A list that the creator made; ``members`` are uuids of fans."""

    uuid: str
    name: str
    created_at: float
    members: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Template:
    """A message to be sent again and again; ``folder`` is its place among the templates."""

    uuid: str
    text: str | None
    price: int | None = None
    media: tuple[str, ...] = ()
    folder: str | None = None


@dataclass(slots=True, eq=False)
class MassMessage:
    """One message to many.

    Attributes:
        included, excluded: keys of Fanvue's lists and uuids of the creator's own.
        recipients: uuids of fans: who is on the lists now, and once it is sent, who got it.
        messages: uuids of the messages in the chats.
    """

    uuid: str
    created_at: float
    text: str | None
    price: int | None
    media: tuple[str, ...]
    included: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    scheduled_at: float | None = None
    sent_at: float | None = None
    deleted: bool = False
    recipients: list[str] = field(default_factory=list, repr=False)
    messages: list[str] = field(default_factory=list, repr=False)

    def is_due(self, now: float) -> bool:
        """Whether it has to go out now."""
        return self.sent_at is None and not self.deleted and (self.scheduled_at or 0.0) <= now


@dataclass(slots=True, eq=False)
class Visit:
    """A fan came through a tracking link; ``metadata`` is what the link's address said besides."""

    fan: str
    at: float
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class TrackingLink:
    """A link whose visitors are counted; its visits are oldest first."""

    uuid: str
    name: str
    code: str
    platform: str
    created_at: float
    visits: list[Visit] = field(default_factory=list, repr=False)


@dataclass(slots=True, eq=False)
class Notification:
    """Something that a creator is told of.

    Attributes:
        event: Fanvue's number for what happened.
        fan: the uuid of whoever did it.
    """

    uuid: str
    event: int
    fan: str
    created_at: float
    read: bool = False


@dataclass(slots=True, eq=False)
class Content:
    """Everything that one creator has made, and the notifications of what others did with it."""

    posts: dict[str, Post] = field(default_factory=dict)
    collections: dict[str, Collection] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    media_links: dict[str, MediaLink] = field(default_factory=dict)
    entitlements: list[Entitlement] = field(default_factory=list)
    folders: dict[str, Folder] = field(default_factory=dict)
    lists: dict[str, CustomList] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    mass_messages: dict[str, MassMessage] = field(default_factory=dict)
    links: dict[str, TrackingLink] = field(default_factory=dict)
    notifications: list[Notification] = field(default_factory=list)

    def upload(self, upload_id: str) -> Media | None:
        """The media that is being uploaded under this id."""
        return next((m for m in self.media.values() if m.upload and m.upload.id == upload_id), None)

    @property
    def newest_post(self) -> Post | None:
        """The post that was published last."""
        published = [post for post in self.posts.values() if post.published_at is not None]
        return max(published, key=lambda post: post.published_at or 0.0, default=None)
