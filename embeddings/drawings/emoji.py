"""Which emoji there are and what they are called, from the Unicode files that Debian ships."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET  # the files come from the system's own package

from embeddings.errors import EmbeddingError

_VARIATION = "\ufe0f"  # asks for the coloured form; the CLDR files leave it out
_TONES = tuple(map(chr, range(0x1F3FB, 0x1F400)))


@dataclass(frozen=True)
class Sources:
    """Where the files lie; the defaults are Debian's."""

    emoji_test: Path = Path("/usr/share/unicode/emoji/emoji-test.txt")
    annotations: Path = Path("/usr/share/unicode/cldr/common/annotations/en.xml")
    annotations_derived: Path = Path("/usr/share/unicode/cldr/common/annotationsDerived/en.xml")
    colour_font: Path = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
    line_fonts: tuple[Path, ...] = (
        Path("/usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf"),
        Path("/usr/share/fonts/truetype/noto/NotoSansSymbols2-Regular.ttf"),
        Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    )

    def require(self, *, line_fonts: bool = False) -> None:
        """Raise EmbeddingError with the package to install for the first file that is not there."""
        packages = {
            self.emoji_test: "unicode-data",
            self.annotations: "unicode-cldr-core",
            self.annotations_derived: "unicode-cldr-core",
            self.colour_font: "fonts-noto-color-emoji",
        }
        if line_fonts:
            packages |= dict(
                zip(self.line_fonts, ("fonts-symbola", "fonts-noto-core", "fonts-dejavu-core"), strict=True)
            )
        for path, package in packages.items():
            if not path.is_file():
                raise EmbeddingError(f"{path} is missing; on Debian: apt-get install {package}")


@dataclass(frozen=True)
class Emoji:
    text: str
    name: str
    group: str
    subgroup: str
    keywords: tuple[str, ...]

    @property
    def toned(self) -> bool:
        """Whether it is a skin-tone variant of another emoji."""
        return any(tone in self.text for tone in _TONES)

    @property
    def base_name(self) -> str:
        """The name without skin tones: "waving hand: light skin tone" is a "waving hand"."""
        name, colon, details = self.name.partition(": ")
        kept = [part for part in details.split(", ") if part and not part.endswith("skin tone")]
        return name + (colon + ", ".join(kept) if kept else "")


def read_emoji(sources: Sources) -> list[Emoji]:
    """Every fully-qualified emoji in the order of emoji-test.txt."""
    sources.require()
    keywords = _read_keywords(sources.annotations) | _read_keywords(sources.annotations_derived)
    found, group, subgroup = [], "", ""
    for line in sources.emoji_test.read_text(encoding="utf-8").splitlines():
        if line.startswith("# group: "):
            group = line.removeprefix("# group: ")
        elif line.startswith("# subgroup: "):
            subgroup = line.removeprefix("# subgroup: ")
        elif "; fully-qualified" in line:
            codes, _, comment = line.partition(";")
            text = "".join(chr(int(code, 16)) for code in codes.split())
            name = comment.partition("#")[2].split(maxsplit=2)[2]  # after the emoji and its version
            found.append(Emoji(text, name, group, subgroup, keywords.get(text.replace(_VARIATION, ""), ())))
    return found


def _read_keywords(path: Path) -> dict[str, tuple[str, ...]]:
    keywords = {}
    for element in ET.parse(path).getroot().iter("annotation"):  # noqa: S314 - see the import
        if element.get("type") is None and element.text:
            keywords[element.attrib["cp"]] = tuple(word.strip() for word in element.text.split("|"))
    return keywords
