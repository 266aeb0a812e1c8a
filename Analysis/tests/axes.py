"""What holds of every figure, wherever its results are from: no axis is empty, and all say what they show."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import Collection
from matplotlib.text import Text


def check(case, drawing) -> None:
    """Has a test fail when a figure has an axis that shows nothing or not all, or lacks words."""
    drawing.figure.draw_without_rendering()
    for axis in drawing.figure.axes:
        name = f"{drawing.name}: {axis.get_title(loc='left')}"
        case.assertEqual(cut_off(axis), [], f"{name}: values above the axis")
        case.assertTrue(has_data(axis), f"{name}: an axis shows nothing")
    # Grids label their outer panels alone.
    labels = [axis.get_xlabel() + axis.get_ylabel() for axis in drawing.figure.axes]
    case.assertTrue(any(labels), f"{drawing.name}: no axis says what it shows")
    case.assertTrue(all(text.get_fontsize() >= 6 for text in drawing.figure.findobj(Text) if text.get_text()))
    plt.close(drawing.figure)


def has_data(axis) -> bool:
    """Whether something with a finite, visible extent was drawn in an axis, besides grid, spines and letters."""
    for line in axis.lines:
        x, y = np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)
        is_data = line.get_transform() == axis.transData and line.get_visible()
        if is_data and len(x) and np.isfinite(x).any() and np.isfinite(y).any() and inside(axis, x, y):
            return True
    for patch in axis.patches:
        box = patch.get_extents().intersection(patch.get_extents(), axis.bbox)
        if box is not None and box.width > 0 and box.height > 0:
            return True
    return any(
        isinstance(one, Collection)
        and len(offsets := np.ma.filled(one.get_offsets(), np.nan))
        and one.get_offset_transform() == axis.transData
        and inside(axis, offsets[:, 0], offsets[:, 1])
        for one in axis.collections
    )


def cut_off(axis) -> list[float]:
    """Values of lines that lie above their axis although they are within its width."""
    (left, right), top = sorted(axis.get_xlim()), max(axis.get_ylim())
    found = []
    for line in axis.lines:
        if line.get_transform() != axis.transData:
            continue
        x, y = np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)
        found += list(y[(x >= left) & (x <= right) & (y > top * 1.0001)])
    return found


def inside(axis, x, y) -> bool:
    (left, right), (bottom, top) = sorted(axis.get_xlim()), sorted(axis.get_ylim())
    return bool(((x >= left) & (x <= right) & (y >= bottom) & (y <= top)).any())
