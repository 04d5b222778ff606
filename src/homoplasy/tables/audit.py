"""What stands beside every score: chance, noise, the number of voxels, and twins that know nothing.

Raw is the biased score, calibrated the debiased one; a row that has the one has the other.
"""

from collections.abc import Mapping

from homoplasy.tables.schema import Schema

_CELL: Mapping[str, str] = {
    "source": "text",
    "layer": "text",
    "depth": "number",  # in (0, 1]
    "target": "text",
    "region": "text",
    "subject": "text",
}

AUDIT = Schema(
    name="audit",  # every layer against every region, one row a kernel
    columns={
        **_CELL,
        "measure": "text",  # cka.linear | cka.rbf
        "kernel": "text",  # for example "linear", "c=1", "sigma=9"
        "n": "integer",
        "raw": "number",  # biased; NaN where it was not asked for
        "floor": "number",  # what raw is on average when stimuli are re-paired at random: exact
        "floor_sd": "number",  # its standard deviation there: exact
        "calibrated": "number",  # debiased, 0 on average when stimuli are re-paired; NaN where it was not asked for
        "z": "number",  # calibrated over its exact standard deviation under re-pairing
        "se": "number",  # of calibrated, over stimuli
        "ceiling": "number",  # of the region: linear CKA_u that its noise leaves within reach; NaN: no signal
        "over_ceiling": "number",  # calibrated / ceiling: approximate, for the ceiling is that of linear kernels
        "source_offdiagonal": "number",  # kernel health: mean off-diagonal entry
        "target_offdiagonal": "number",
        "source_pr": "number",  # kernel health: participation ratio
        "target_pr": "number",
        "reason": "text",  # why there is no value; empty when there is
    },
    key=("source", "layer", "target", "measure", "kernel"),
)

CHECKS = Schema(
    name="checks",  # the layers that are checked, under the main kernel
    columns={
        **_CELL,
        "measure": "text",
        "kernel": "text",
        "n": "integer",
        "draws": "integer",  # re-pairings of stimuli, the same for all models and regions of a subject
        "raw": "number",
        "floor": "number",  # exact mean of raw under re-pairing
        "floor_sd": "number",
        "permuted": "number",  # mean of raw over the re-pairings that were drawn
        "permuted_sd": "number",
        "raw_p": "number",  # of raw, one-sided: (1 + re-pairings that reach it) / (1 + draws)
        "raw_p_family": "number",  # the same against the largest excess over all cells of the subject (max-T)
        "calibrated": "number",
        "z": "number",
        "calibrated_permuted": "number",  # mean of calibrated over the re-pairings that were drawn
        "calibrated_permuted_sd": "number",
        "p": "number",  # of calibrated, one-sided
        "p_family": "number",  # max-T over all cells of the subject
        "linear": "number",  # CKA_u with linear kernels, patterns centred but not scaled: what is corrected
        "ceiling": "number",  # of the region over the images that are scored; NaN with a reason
        "corrected": "number",  # linear / ceiling: what noise-free patterns would give, exact
        "unit_corrected": "number",  # with the units of a side a sample of many; NaN unless asked for, or of too few
        "ceiling_reason": "text",  # no_signal | no_repeats | empty
        "reason": "text",
    },
    key=("source", "layer", "target"),
)

CEILINGS = Schema(
    name="ceilings",  # what is known of every region of every subject
    columns={
        "target": "text",
        "region": "text",
        "subject": "text",
        "voxels": "integer",
        "n": "integer",  # images that are scored
        "ceiling": "number",  # split-half over repeats
        "ceiling_z": "number",  # likeness of the repeats of the region over its standard error under re-pairing
        "growth": "number",  # linear scores times this are without noise and of endless voxels; NaN of too few
        "reason": "text",  # no_signal | no_repeats | empty
        "matched_voxels": "integer",  # how many each draw takes; 0: the region has fewer
        "matched_ceiling": "number",  # of so many voxels, over the draws
        "matched_reason": "text",  # no_signal | no_repeats | few_voxels | empty
        "between": "number",  # mean calibrated score with the same region of the other subjects, shared images
        "between_corrected": "number",  # the same with linear kernels over the ceilings of both
    },
    key=("target",),
)

BETWEEN = Schema(
    name="between",  # a region of one subject against the same region of another, on the shared images
    columns={
        "region": "text",
        "subject_a": "text",
        "subject_b": "text",
        "measure": "text",
        "kernel": "text",
        "n": "integer",
        "raw": "number",
        "floor": "number",
        "floor_sd": "number",
        "calibrated": "number",
        "z": "number",
        "se": "number",
        "linear": "number",  # CKA_u with linear kernels, patterns centred but not scaled
        "corrected": "number",  # linear / (ceiling_a ceiling_b), ceilings over the shared images
        "reason": "text",  # why corrected is NaN: no_signal | no_repeats; empty when it is not
    },
    key=("region", "subject_a", "subject_b"),
)

TWINS = Schema(
    name="twins",  # the same network untrained, and random numbers of the same width, in the same cell
    columns={
        **_CELL,
        "kind": "text",  # untrained | gaussian
        "twin": "text",  # address of the untrained twin; empty for random numbers or where there is none
        "measure": "text",
        "kernel": "text",
        "raw": "number",  # of the twin
        "floor": "number",
        "floor_sd": "number",
        "calibrated": "number",
        "z": "number",
        "model_raw": "number",  # of the model that it is the twin of
        "model_calibrated": "number",
        "reason": "text",  # why there is no twin, or no value
    },
    key=("source", "layer", "target", "kind"),
)

MATCHED = Schema(
    name="matched",  # the layers that are checked against as many voxels of every region
    columns={
        **_CELL,
        "measure": "text",
        "kernel": "text",  # linear, the main one, and half and twice the median distance
        "voxels": "integer",
        "draws": "integer",  # subsets of voxels
        "raw": "number",  # mean over draws
        "calibrated": "number",  # mean over draws
        "spread": "number",  # standard deviation of calibrated over draws
        "corrected": "number",  # linear kernels only: <X, Y> / sqrt(<X, X> <Y_a, Y_b>), each averaged over draws
        "reason": "text",  # few_voxels, or why the layer has no kernel; empty when there is a value
    },
    key=("source", "layer", "target", "measure", "kernel"),
)

MATCHED_SCALES = Schema(
    name="matched_scales",  # change of a region's score from half to twice the median width, with equally many voxels
    columns={
        "modality": "text",
        "region": "text",
        "voxels": "integer",
        "models": "integer",
        "subjects": "integer",
        "narrow": "number",  # calibrated at c = 0.5, all voxels, mean over models and subjects
        "wide": "number",  # at c = 2
        "delta": "number",  # wide - narrow, all voxels
        "corrected": "number",  # delta over the ceiling of the region
        "matched_narrow": "number",
        "matched_wide": "number",
        "matched_delta": "number",
        "low": "number",  # 95 % of matched_delta, Student's t over subjects
        "high": "number",
        "null_low": "number",  # what chance alone would give at most, 95 %: both null sds added
        "null_high": "number",
        "matched_corrected": "number",  # matched_delta over the ceiling of so many voxels
        "corrected_low": "number",
        "corrected_high": "number",
    },
    key=("modality", "region"),
)

UNTRAINED = Schema(
    name="untrained",  # the same network with seeded weights, which is read for the audit alone
    columns={
        "model": "text",
        "twin": "text",  # address; the models of one training run share theirs
        "layers": "integer",
        "reason": "text",  # why it has no features; empty when it has
    },
    key=("model",),
)

TALLIES = Schema(
    name="tallies",  # what is kept of some re-pairings of a subject; checks are made of them
    columns={
        "source": "text",
        "layer": "text",
        "target": "text",
        "estimator": "text",  # biased | debiased
        "draws": "integer",
        "own": "number",  # the score of the pairing itself
        "mean": "number",  # exact, under re-pairing
        "sd": "number",  # exact
        "total": "number",  # over the draws
        "square": "number",  # sum over the draws of (score - mean)^2
        "reached": "integer",  # draws that score as high as the pairing itself
    },
    key=("source", "layer", "target", "estimator"),
)

LARGEST = Schema(
    name="largest",  # the largest (score - mean) / sd over all cells of a subject, in each re-pairing
    columns={"estimator": "text", "draw": "integer", "largest": "number"},
    key=("estimator", "draw"),
)

LINEAR = Schema(
    name="linear",  # scores with linear kernels and patterns that are centred, not scaled
    columns={
        "source": "text",
        "layer": "text",
        "target": "text",
        "linear": "number",
        "growth": "number",  # of the layer: scores times this are those of all units that these are a sample of
    },
    key=("source", "layer", "target"),
)

NULL_SCORES = Schema(
    name="null_scores",  # brain scores that re-paired stimuli give: a null for every correlation with them
    columns={
        "model": "text",
        "modality": "text",
        "draw": "integer",
        "raw": "number",  # mean over subjects of the mean over the best regions of that draw
        "calibrated": "number",
    },
    key=("model", "draw"),
)
