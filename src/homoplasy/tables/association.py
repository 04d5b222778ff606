"""One score a model, and what it goes with."""

from homoplasy.tables.schema import Schema

MODEL_SCORES = Schema(
    name="model_scores",
    columns={
        "model": "text",
        "modality": "text",
        "family": "text",
        "architecture": "text",
        "run": "text",  # as in models: the training run of a checkpoint
        "step": "integer",
        "weights": "text",
        "reading": "text",  # calibrated | released, with .all where every region counts
        "params": "text",  # kernel and estimator, as in scores
        "chosen": "text",  # all | best: the regions of the highest scores | split_half: the best of other images
        "score": "number",
        "null_score": "number",  # the same regions and layers, null mean in the place of value
        "null_sd": "number",  # mean null sd of what was averaged: the sd of the score is at most this
        "width": "number",  # mean units of the layers that were scored
        "parameters": "number",
        "benchmark": "text",  # empty: no performance is known
        "performance": "number",
        "counted": "flag",  # statistics are made of it: no checkpoint, and tested where any model of its kind is
        "reason": "text",  # why the score is NaN; empty when it is not
    },
    key=("model", "modality", "reading"),
)

CORRELATIONS = Schema(
    name="correlations",
    columns={
        "reading": "text",
        "modality": "text",
        "x": "text",
        "y": "text",
        "given": "text",  # partialled out; empty when nothing is
        "method": "text",  # pearson | spearman
        "n": "integer",
        "r": "number",
        "p": "number",
        "fisher_low": "number",
        "fisher_high": "number",
        "family_low": "number",  # families of models drawn anew
        "family_high": "number",
        "families": "integer",
        "interval": "text",  # how the interval of the families was made, and its weakness
    },
    key=("reading", "modality", "x", "y", "given", "method"),
)

ASSOCIATIONS = Schema(
    name="associations",
    columns={
        "reading": "text",
        "modality": "text",
        "benchmark": "text",  # what `performance` is here; the models are those tested on it
        "x": "text",
        "y": "text",
        "given": "text",  # the columns held fixed, joined by +; empty when nothing is
        "method": "text",  # pearson | spearman
        "n": "integer",
        "r": "number",
        "p": "number",
        "q": "number",  # p after Benjamini and Hochberg inside `tests`
        "tests": "text",  # the declared family of tests
        "fisher_low": "number",
        "fisher_high": "number",
        "formula_low": "number",  # as the source study printed it: rho -+ 1.96 x .6325 / sqrt(n - 1); NaN for Pearson
        "formula_high": "number",
        "family_low": "number",  # families of models drawn anew
        "family_high": "number",
        "leave_low": "number",  # the least and the largest r when one family is left out
        "leave_high": "number",
        "families": "integer",
        "interval": "text",  # how the interval of the families was made, and its weakness
    },
    key=("reading", "modality", "benchmark", "x", "y", "given", "method"),
)

REGRESSIONS = Schema(
    name="regressions",
    columns={
        "reading": "text",
        "modality": "text",
        "benchmark": "text",
        "form": "text",  # linear: performance on score | log: performance on ln score
        "n": "integer",
        "intercept": "number",
        "slope": "number",
        "r2": "number",
        "aic": "number",  # n ln(RSS/n) + 2k with k = 2, as printed
        "bic": "number",
        "aicc": "number",  # three parameters, small-sample correction
        "loo_r2": "number",
        "log_wins": "number",  # share of draws over families in which the logarithm fits better
        "log_gain": "number",  # r2 of the logarithm minus that of the line
        "log_gain_low": "number",  # families drawn anew
        "log_gain_high": "number",
        "note": "text",
    },
    key=("reading", "modality", "benchmark", "form"),
)

EFFECTS = Schema(
    name="effects",
    columns={
        "reading": "text",
        "modality": "text",
        "benchmark": "text",
        "model": "text",  # clustered: least squares, errors clustered by family | mixed: a level for every family
        "covariates": "text",
        "term": "text",  # performance, a covariate, or class:NAME against the commonest class
        "n": "integer",
        "families": "integer",
        "estimate": "number",  # change of the score, in its sd; of a number: for one sd of it
        "low": "number",
        "high": "number",
        "p": "number",
        "note": "text",
    },
    key=("reading", "modality", "benchmark", "model", "covariates", "term"),
)

REGION_SETS = Schema(
    name="region_sets",
    columns={
        "model": "text",
        "modality": "text",
        "reading": "text",
        "regions": "text",  # those the score is the mean of: top | split_half | held_out | all | ceiling | a network
        "score": "number",
        "corrected": "number",  # the same of value / ceiling, over regions whose ceiling is known
        "count": "number",  # regions, mean over subjects
    },
    key=("model", "reading", "regions"),
)
