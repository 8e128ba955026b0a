"""The sample dataset: every emoji once, as a webdataset archive that is uploaded like anyone's own.

    python -m embeddings.drawings.sample atlas/datasets/sample/emoji.tar.gz

The same fonts and Unicode files give the same bytes.
"""

import argparse
import gzip
import io
import json
import tarfile
from pathlib import Path

from PIL import Image

from embeddings.drawings.artist import Artist
from embeddings.drawings.emoji import Emoji, Sources, read_emoji

_COLOURS = 96  # of the palette: a picture takes 2 kB then


def write_sample(path: Path, sources: Sources) -> int:
    """Write the archive (`00042.png`, `00042.txt`, `00042.json`, …) and return how many emoji it holds."""
    emoji, artist = read_emoji(sources), Artist(sources)
    # A tar rounds every member up to 1 kB, which would double the size: hence gzip, without name or time.
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", 9, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for number, one in enumerate(emoji):
            _add(tar, f"{number:05}.png", _png(artist.draw(one)))
            _add(tar, f"{number:05}.txt", one.name.encode())
            _add(tar, f"{number:05}.json", json.dumps(_columns(one), ensure_ascii=False).encode())
    return len(emoji)


def _columns(emoji: Emoji) -> dict[str, object]:
    return {
        "name": emoji.name,
        "emoji": emoji.text,
        "group": emoji.group,
        "subgroup": emoji.subgroup,
        "keywords": list(emoji.keywords),
    }


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    small = picture.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small.save(file, "PNG", optimize=True)
    return file.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)  # its owner, mode and time are constants
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    print(f"{write_sample(output, Sources())} emoji in {output}")


if __name__ == "__main__":
    main()
