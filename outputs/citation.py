"""How a card asks to be cited: the paper whose method it follows, and the software that did it."""

from __future__ import annotations

from .markdown import Markdown

_PAPER = """\
@misc{xiao2025perceptionr1,
  title         = {Perception-R1: Advancing Multimodal Reasoning Capabilities of MLLMs
                   via Visual Perception Reward},
  author        = {Tong Xiao and Xin Xu and Zhenya Huang and Hongyu Gao and Quan Liu and Qi Liu
                   and Enhong Chen},
  year          = {2025},
  eprint        = {2506.07218},
  archivePrefix = {arXiv}
}"""


def citation(version: Markdown) -> Markdown:
    """BibTeX of the paper and of this version of pr1, as `version_of` gives it."""
    software = (
        "@software{pr1,\n"
        "  title   = {pr1: Visual annotations and perception rewards for training\n"
        "             vision-language models},\n"
        f"  version = {{{version}}}\n"
        "}"
    )
    return Markdown(f"```bibtex\n{_PAPER}\n\n{software}\n```")
