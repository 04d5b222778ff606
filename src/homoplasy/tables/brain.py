"""Pictures, captions and the regions of the brain."""

from homoplasy.tables.schema import Schema

STIMULI = Schema(
    name="stimuli",
    columns={
        "stimulus_id": "integer",  # 0-based index into the picture brick (NSD's 73k id)
        "coco_id": "integer",
        "coco_split": "text",
        "shared": "flag",  # shown to every subject
        "caption": "text",
        "caption_words": "integer",
        "cropped": "number",  # share of the photograph outside the crop
    },
    key=("stimulus_id",),
)

REGIONS = Schema(
    name="regions",
    columns={
        "subject": "text",
        "region": "text",
        "hemisphere": "text",  # both | left | right
        "voxels_labelled": "integer",
        "voxels_constant": "integer",
        "voxels_dropout": "integer",
        "voxels_unreliable": "integer",  # below the ncsnr threshold
        "voxels": "integer",  # kept
        "ncsnr": "number",  # mean over kept voxels, estimated from the betas
        "ncsnr_shipped": "number",
        "variance_ceiling": "number",  # mean over kept voxels, percent of variance
        "ceiling": "number",  # linear CKA_u of noise-free patterns with themselves under noise; NaN: no signal
        "ceiling_z": "number",  # agreement of repeats in its standard errors under re-pairing; at most 2: no signal
        "network": "text",
        "reason": "text",  # why a region carries no patterns; empty when it does
    },
    key=("subject", "region", "hemisphere"),
)

VOXELS = Schema(
    name="voxels",
    columns={
        "region": "text",
        "hemisphere": "text",  # left | right
        "voxel": "integer",  # C-order index into the (X, Y, Z) volume
        "ncsnr": "number",
        "ncsnr_shipped": "number",
        "dropout": "number",
        "variance_ceiling": "number",
    },
    key=("voxel",),
)
