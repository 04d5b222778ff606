"""What NSD promises of itself: counts that a full-size tree is held to, terms, citations (Allen et al. 2022)."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Person:
    """One subject: sessions held, images by the times they were seen, the functional volume."""

    sessions: int
    seen: tuple[int, int, int]  # images seen at least once, twice, three times
    shared_seen: int  # of the images that every subject was to see
    volume: tuple[int, int, int]  # func1pt8mm X, Y, Z


@dataclass(frozen=True)
class Facts:
    """The data set in numbers and words."""

    people: Mapping[int, Person]
    sessions: int = 40
    trials_a_session: int = 750
    images_a_subject: int = 10_000
    shared: int = 1_000
    pictures: int = 73_000
    picture: tuple[int, int, int] = (425, 425, 3)
    regions: int = 180
    first_sessions: int = 37  # the last three were held back until 2023-08-20
    first_counts: tuple[int, int, int, int] = (9_841, 24_980, 982, 2_770)  # images, own trials, shared images, trials
    agreement: str = "https://naturalscenesdataset.org"
    licence: str = "NSD Terms and Conditions (agreement to be signed first); captions: COCO, CC BY 4.0"
    citations: Mapping[str, str] = field(default_factory=dict)


FACTS = Facts(
    people={
        1: Person(40, (10_000, 10_000, 10_000), 1_000, (81, 104, 83)),
        2: Person(40, (10_000, 10_000, 10_000), 1_000, (82, 106, 84)),
        3: Person(32, (9_411, 8_355, 6_234), 930, (81, 106, 82)),
        4: Person(30, (9_209, 7_846, 5_445), 907, (85, 99, 80)),
        5: Person(40, (10_000, 10_000, 10_000), 1_000, (79, 97, 78)),
        6: Person(32, (9_411, 8_355, 6_234), 930, (85, 113, 83)),
        7: Person(40, (10_000, 10_000, 10_000), 1_000, (78, 95, 81)),
        8: Person(30, (9_209, 7_846, 5_445), 907, (80, 103, 78)),
    },
    citations={
        "data": "Allen et al. 2022, Nature Neuroscience 25:116-126",
        "captions": "Chen et al. 2015, arXiv:1504.00325; Lin et al. 2014, arXiv:1405.0312",
        "regions": "Glasser et al. 2016, Nature 536:171-178",
        "networks": "Yeo et al. 2011, J Neurophysiol 106:1125-1165, by region: PennLINC/xcp_d, "
        "atlas-Glasser_dseg.tsv at 4803262c (BSD-3-Clause); the study's own: Shen et al. 2025, arXiv:2507.01966",
    },
)
