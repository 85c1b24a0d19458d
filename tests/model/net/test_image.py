"""Pixels as the released processing makes them; tiles and token counts as transformers' processor chooses them."""

import random

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from transformers.models.deepseek_ocr2.image_processing_pil_deepseek_ocr2 import get_optimal_tiled_canvas

from model.net.image import load, open_upright, scaled, views
from model.net.image_modes import MAX_LINE_WIDTH, MODES, num_tokens, tile_grid
from tests.inputs.samples import encoded


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def as_released(image: Image.Image) -> torch.Tensor:
    """torchvision's ToTensor and Normalize(0.5, 0.5), written out."""
    return (torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1) / 255 - 0.5) / 0.5


def test_tiles_and_token_counts_over_ten_thousand_sizes():
    """Against transformers' choice; counts against the paper's formula, a newline a row and a separator."""
    chance = random.Random(0)
    for tile, mode in ((640, "gundam"), (1024, "gundam-m")):
        for _ in range(5000):
            width, height = (chance.choice([chance.randint(1, 5000), chance.randint(1, 16) * 160]) for _ in range(2))
            columns, rows = tile_grid(width, height, tile)
            if width <= tile and height <= tile:
                assert (columns, rows) == (0, 0)
            else:
                assert (columns, rows) == tuple(get_optimal_tiled_canvas((height, width), (tile, tile), 2, 9))
            whole, side = MODES[mode].side // 64, tile // 64
            expected = whole * (whole + 1) + 1 + (side * rows) * (side * columns + 1)
            assert MODES[mode].num_tokens((columns, rows)) == expected


def test_placeholders_of_the_modes():
    assert {mode: MODES[mode].num_tokens() for mode in list(MODES)[:4]} == {"tiny": 73, "small": 111, "base": 273, "large": 421}
    a4 = tile_grid(1654, 2339, 640)
    assert a4 == (2, 3) and MODES["gundam"].num_tokens(a4) == 903


@pytest.mark.parametrize(("width", "height"), [(300, 200), (700, 1400), (640, 640)])
@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "line"])
def test_pixels_are_the_released_ones(mode, width, height):
    image, side, tile = picture(width, height), MODES[mode].side, MODES[mode].tile
    chosen_views = views(image, mode)
    if mode in ("tiny", "small"):
        expected = image.resize((side, side))
    else:
        scale = min(side / width, side / height)
        assert round(max(width, height) * scale) == side
        expected = ImageOps.pad(image, (side, side), color=(127, 127, 127))
    assert torch.equal(scaled(chosen_views.whole_3HW), as_released(expected))
    assert chosen_views.num_tokens == MODES[mode].num_tokens(chosen_views.grid) == num_tokens(mode, width, height)
    if not tile or (width <= tile and height <= tile):
        assert chosen_views.tiles_N3TT is None
        return
    columns, rows = chosen_views.grid
    stretched = image.resize((columns * tile, rows * tile))
    for n in range(columns * rows):
        left, top = n % columns * tile, n // columns * tile
        assert torch.equal(scaled(chosen_views.tiles_N3TT[n]), as_released(stretched.crop((left, top, left + tile, top + tile))))


@pytest.mark.parametrize(
    ("width", "height", "view_width"),
    [(64, 64, 64), (65, 64, 128), (300, 64, 320), (300, 32, 640), (640, 200, 256), (1, 900, 64), (3000, 1, MAX_LINE_WIDTH)],
)
def test_a_line_is_as_wide_as_its_text_and_no_wider_than_the_next_token(width, height, view_width):
    line = views(picture(width, height), "line")
    assert line.whole_3HW.shape == (3, 64, view_width) and line.tiles_N3TT is None
    assert line.num_tokens == view_width // 64 + 2 == num_tokens("line", width, height)
    assert MODES["line"].upsamples(width, height) == (height < 64)


def test_exif_turns_first():
    image = picture(90, 40)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by a quarter
    upright = views(image.transpose(Image.Transpose.ROTATE_270), "base")
    assert torch.equal(load(encoded(image, "PNG", exif=exif), "base").whole_3HW, upright.whole_3HW)


def test_sixteen_bits_a_pixel_become_eight():
    gray = np.arange(256, dtype=np.uint16).reshape(16, 16)
    sixteen = Image.fromarray(gray * 257)
    files = [
        encoded(sixteen, "PNG"),
        encoded(sixteen.convert("I"), "TIFF"),
        encoded(Image.fromarray((gray / 255).astype(np.float32)), "TIFF"),
    ]
    for file in files:
        found = open_upright(file)
        assert found.mode == "RGB" and np.abs(np.asarray(found)[:, :, 0].astype(int) - gray).max() <= 1


def test_what_is_transparent_shows_white_paper():
    ink = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    ink.putpixel((1, 1), (10, 20, 30, 255))
    palette = Image.new("P", (4, 4), 0)
    palette.info["transparency"] = 0
    for image in (ink, ink.convert("LA"), palette):
        assert open_upright(encoded(image, "PNG")).getpixel((0, 0)) == (255, 255, 255)
    assert open_upright(encoded(ink, "PNG")).getpixel((1, 1)) == (10, 20, 30)
    plain = picture(40, 30)
    assert open_upright(encoded(plain, "PNG")).tobytes() == plain.tobytes()
