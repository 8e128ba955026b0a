"""Small uploads and what becomes of them."""

import io
import zipfile
from collections.abc import Mapping

from PIL import Image

from atlas.datasets.describe import describe_import
from atlas.datasets.imports import append, create_dataset, start_import
from atlas.datasets.ingest import run_import
from atlas.datasets.models import Dataset, Import, Upload
from atlas.datasets.uploads import create_upload, settle
from atlas.teams.models import User
from tests.people import Cast

FRUIT_TABLE = """file,caption,id,colour,weight
1.png,Two red apples,a-1,red,120
2.png,A yellow pear,a-2,yellow,95.5
3.png,A plum,a-3,red,40
4.png,A picture that is broken,a-4,none,1
"""


def picture(colour: str, width: int = 40, height: int = 30) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(data, "PNG")
    return data.getvalue()


def zip_of(files: Mapping[str, str | bytes]) -> bytes:
    """The same bytes at any time: they are in names of tests, which all workers must agree on."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return data.getvalue()


def fruit_zip() -> bytes:
    pictures = {
        f"{number}.png": picture(colour) for number, colour in enumerate(("red", "yellow", "blue"), 1)
    }
    return zip_of({"captions.csv": FRUIT_TABLE, **pictures, "4.png": picture("green")[:60]})


def table(rows: int, first: int = 0) -> bytes:
    lines = [f"r{n},Caption {n},{n}" for n in range(first, first + rows)]
    return "\n".join(["id,caption,n", *lines]).encode()


def vectors_table(rows: list[list[float]], first: int = 0) -> bytes:
    lines = [f'v{first + n},Caption {first + n},"{row}"' for n, row in enumerate(rows)]
    return "\n".join(["id,caption,vector", *lines]).encode()


def uploaded(user: User, filename: str, data: bytes, relative_path: str = "") -> Upload:
    """A complete upload, as if the browser had sent it."""
    upload = create_upload(user, filename, len(data), relative_path=relative_path)
    upload.path.write_bytes(data)
    settle(upload, len(data))
    return upload


def new_import(cast: Cast, filename: str, data: bytes) -> Import:
    """The first import of a new dataset of Alice's, not described yet."""
    dataset = create_dataset(cast.team, "Fruit", cast.alice, [uploaded(cast.alice, filename, data)])
    return dataset.imports.get()


def started(job: Import) -> Import:
    """Described and started with no corrections, as by the page; no worker has run it."""
    describe_import(job.pk)
    job.refresh_from_db()
    start_import(job, {})
    return job


def run(job: Import) -> Import:
    """To its end, as the page and the workers do it."""
    run_import(started(job).pk)
    job.refresh_from_db()
    return job


def added(dataset: Dataset, user: User, filename: str, data: bytes) -> Import:
    """What became of one more import into the dataset."""
    return run(append(dataset, user, [uploaded(user, filename, data)]))


def imported_dataset(cast: Cast) -> Dataset:
    return Dataset.objects.get(pk=run(new_import(cast, "fruit.zip", fruit_zip())).dataset_id)
