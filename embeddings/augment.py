"""Training pictures put together and disturbed, a batch at a time, to leave the time to the tower.

A picture is a ground with sprites on it. Everything random comes from the generator that is passed in, so a
batch can be made again. About 0.5 ms a picture at 64 × 64.
Letters: N pictures, L sprites in them, S pixels a side.
"""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from PIL import Image
from torch import Generator, Tensor

Change = Callable[[Tensor], Tensor]
_TO_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


@dataclass(frozen=True)
class Freedom:
    """How far sprites may be bent and recoloured before they stop being what their caption says."""

    rotation: float  # radians either way
    shear: float
    stretch: float  # log of the aspect ratio
    elastic: float  # share of the picture's side
    hue: float  # turns of the colour wheel; a sprite with `recolour` may turn all the way
    light: float = 1.0  # how much of the usual change of saturation, contrast and brightness


DRAWN = Freedom(rotation=0.26, shear=0.15, stretch=0.15, elastic=0.06, hue=0.02)
STILL = Freedom(rotation=0.03, shear=0.0, stretch=0.03, elastic=0.0, hue=0.0, light=0.0)
PHOTOGRAPHED = Freedom(rotation=0.0, shear=0.0, stretch=0.15, elastic=0.0, hue=0.02)


@dataclass(frozen=True)
class Sprites:
    """What stands where. Places are in units of half a picture from its middle, scales in whole pictures."""

    pixels: Tensor  # (L, s, s, 4) uint8 RGBA
    picture: Tensor  # (L,) which of the N pictures
    depth: Tensor  # (L,) 0 is drawn first
    centre: Tensor  # (L, 2) x, y
    scale: Tensor  # (L,)
    flip: Tensor  # (L,) bool: may be mirrored
    recolour: Tensor  # (L,) bool: may take another colour


def compose(sprites: Sprites, grounds: Tensor, freedom: Freedom, generator: Generator) -> Tensor:
    """Lay the sprites on `grounds` (N, 3, S, S), values 0…1; returns the pictures, same shape."""
    drawn = _bend(sprites, grounds.shape[-1], freedom, generator)  # (L, 4, S, S), colours times alpha
    drawn = _recolour(drawn, sprites.recolour, freedom, generator)
    pictures = grounds.clone()
    for depth in range(int(sprites.depth.max()) + 1):
        here = sprites.depth == depth
        where, layer = sprites.picture[here], drawn[here]
        pictures[where] = pictures[where] * (1 - layer[:, 3:]) + layer[:, :3]
    return pictures


def disturb(pictures: Tensor, generator: Generator) -> Tensor:
    """Light, blur, noise, holes and JPEG on some of the pictures each. (N, 3, S, S), values 0…1."""
    n = len(pictures)
    gamma = torch.exp(_spread((n, 1, 1, 1), 0.35, generator))
    pictures = pictures.clamp(0, 1) ** gamma
    pictures = _on_some(pictures, 0.2, generator, _blur)
    pictures = _on_some(pictures, 0.15, generator, lambda x: _add_noise(x, generator))
    pictures = _on_some(pictures, 0.2, generator, lambda x: _cut_hole(x, generator))
    pictures = _on_some(
        pictures, 0.06, generator, lambda x: x.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    )
    return _on_some(pictures.clamp(0, 1), 0.05, generator, lambda x: _jpeg(x, generator))


def random_grounds(count: int, side: int, generator: Generator) -> Tensor:
    """White more often than not, else one colour, two that blend, or a coarse texture: (N, 3, S, S)."""
    colours = _light_colours(count, generator)[:, :, None, None]
    others = _light_colours(count, generator)[:, :, None, None]
    angle = torch.rand(count, 1, 1, generator=generator) * 2 * math.pi
    line = torch.linspace(-1, 1, side)
    ramp = (angle.cos() * line[None, :, None] + angle.sin() * line[None, None, :]) / 2 + 0.5
    blend = torch.lerp(colours, others, ramp[:, None].clamp(0, 1))
    coarse = torch.randn(count, 3, 8, 8, generator=generator) * 0.15
    texture = blend + F.interpolate(coarse, size=(side, side), mode="bilinear")
    kind = torch.rand(count, 1, 1, 1, generator=generator)
    ground = torch.where(kind < 0.8, colours, torch.where(kind < 0.92, blend, texture))
    return torch.where(kind < 0.64, torch.ones(()), ground).clamp(0, 1)


def _bend(sprites: Sprites, side: int, freedom: Freedom, generator: Generator) -> Tensor:
    count = len(sprites.pixels)
    colour = sprites.pixels.permute(0, 3, 1, 2).float() / 255  # (L, 4, s, s)
    alpha = colour[:, 3:]
    colour = torch.cat((colour[:, :3] * alpha, alpha), dim=1)  # clear pixels must not bleed their colour
    turn = _spread((count,), freedom.rotation, generator)
    stretch = torch.exp(_spread((count,), freedom.stretch / 2, generator))
    shear = _spread((count,), freedom.shear, generator)
    mirrored = (torch.rand(count, generator=generator) < 0.4) & sprites.flip
    x = sprites.scale * stretch * torch.where(mirrored, -1.0, 1.0)
    y = sprites.scale / stretch
    rotation = torch.stack((turn.cos(), -turn.sin(), turn.sin(), turn.cos()), dim=-1).view(count, 2, 2)
    slant = torch.eye(2).repeat(count, 1, 1)
    slant[:, 0, 1] = shear
    forward = rotation @ slant @ torch.diag_embed(torch.stack((x, y), dim=-1))  # (L, 2, 2)
    inverse = torch.linalg.inv(forward)
    theta = torch.cat((inverse, -inverse @ sprites.centre[..., None]), dim=2)
    grid = F.affine_grid(theta, [count, 4, side, side], align_corners=False)
    if freedom.elastic:
        push = torch.randn(count, 2, 5, 5, generator=generator) * freedom.elastic
        push *= torch.rand(count, 1, 1, 1, generator=generator) ** 2
        grid = grid + F.interpolate(push, size=(side, side), mode="bicubic").permute(0, 2, 3, 1)
    return F.grid_sample(colour, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _recolour(drawn: Tensor, allowed: Tensor, freedom: Freedom, generator: Generator) -> Tensor:
    """A linear map of the colours of each sprite: hue, saturation, contrast and brightness in one."""
    count = len(drawn)
    free = allowed & (torch.rand(count, generator=generator) < 0.25 * freedom.light)
    turns = torch.where(free, _spread((count,), 0.5, generator), _spread((count,), freedom.hue, generator))
    hue = turns * 2 * math.pi
    saturation = torch.exp(_spread((count,), 0.5 * freedom.light, generator))
    contrast = torch.exp(_spread((count,), 0.3 * freedom.light, generator))
    brightness = _spread((count,), 0.12 * freedom.light, generator)
    turn = torch.zeros(count, 3, 3)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = saturation * hue.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -saturation * hue.sin(), saturation * hue.sin()
    matrix = contrast[:, None, None] * (torch.linalg.inv(_TO_YIQ) @ turn @ _TO_YIQ)
    rgb, alpha = drawn[:, :3], drawn[:, 3:]
    shift = ((1 - contrast) / 2 + brightness)[:, None, None, None]
    mapped = (matrix @ rgb.flatten(2)).unflatten(2, rgb.shape[2:]) + shift * alpha
    return torch.cat((torch.minimum(mapped.clamp_min(0), alpha), alpha), dim=1)


def _light_colours(count: int, generator: Generator) -> Tensor:
    """(count, 3): mostly light, as papers and walls are; some dark, a few black."""
    colours = 1 - torch.rand(count, 3, generator=generator) ** 1.6
    dimmed = torch.where(torch.rand(count, 1, generator=generator) < 0.25, 0.4, 1.0)
    return colours * torch.where(torch.rand(count, 1, generator=generator) < 0.06, 0.0, dimmed)


def _spread(shape: tuple[int, ...], reach: float, generator: Generator) -> Tensor:
    return (torch.rand(shape, generator=generator) * 2 - 1) * reach


def _on_some(pictures: Tensor, share: float, generator: Generator, change: Change) -> Tensor:
    chosen = torch.rand(len(pictures), generator=generator) < share
    if chosen.any():
        pictures = pictures.clone()
        pictures[chosen] = change(pictures[chosen])
    return pictures


def _blur(pictures: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, stride=1)


def _add_noise(pictures: Tensor, generator: Generator) -> Tensor:
    strength = torch.rand(len(pictures), 1, 1, 1, generator=generator) * 0.12
    return pictures + torch.randn(pictures.shape, generator=generator) * strength


def _cut_hole(pictures: Tensor, generator: Generator) -> Tensor:
    """A rectangle of up to half the side in one colour."""
    side = pictures.shape[-1]
    size = (0.15 + torch.rand(len(pictures), 2, generator=generator) * 0.35) * side
    start = torch.rand(len(pictures), 2, generator=generator) * (side - size)
    line = torch.arange(side)
    inside = (line >= start[..., None]) & (line < (start + size)[..., None])  # (N, 2, S)
    hole = inside[:, 0, :, None] & inside[:, 1, None, :]
    colour = _light_colours(len(pictures), generator)[:, :, None, None]
    return torch.where(hole[:, None], colour, pictures)


def _jpeg(pictures: Tensor, generator: Generator) -> Tensor:
    qualities = torch.randint(15, 70, (len(pictures),), generator=generator).tolist()
    out = []
    for values, quality in zip((pictures * 255).byte().permute(0, 2, 3, 1).numpy(), qualities, strict=True):
        file = io.BytesIO()
        Image.fromarray(values).save(file, "JPEG", quality=quality)
        out.append(np.asarray(Image.open(file)))
    return torch.from_numpy(np.stack(out)).permute(0, 3, 1, 2).float() / 255
