"""Numbers as a reader writes them."""

import math
from collections.abc import Sequence

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NAMES = {
    "score": "score",
    "performance": "performance",
    "log_width": "ln width",
    "width": "width",
    "null_score": "its chance level",
    "score_by_subject": "score, mean over subjects",
    "parameters": "parameters",
    "log_parameters": "ln parameters",
    "width^2": "its square",
}


def number(value: float, digits: int = 2) -> str:
    """A number with a real minus; a dash where there is none.

    >>> number(-0.049), number(float("nan"))
    ('−0.05', '–')
    """
    if math.isnan(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def interval(low: float, high: float, digits: int = 2) -> str:
    """The two bounds of an interval.

    >>> interval(0.7849, 0.9404)
    '0.78 to 0.94'
    """
    return "–" if math.isnan(low) else f"{number(low, digits)} to {number(high, digits)}"


def significant(value: float) -> str:
    """Three digits that say something, or one decimal of a large number.

    >>> significant(0.06789), significant(-3810.19), significant(float("nan"))
    ('0.0679', '−3810.2', '–')
    """
    if math.isnan(value):
        return "–"
    mantissa, power, exponent = (f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}").partition("e")
    plain = mantissa.replace("-", "−")
    return f"{plain} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}" if power else plain


def listed(names: Sequence[str]) -> str:
    """Names in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def p_value(p: float) -> str:
    """A p-value: plain down to a thousandth, then as a power of ten.

    >>> p_value(7.52e-13), p_value(0.0312)
    ('7.5 × 10⁻¹³', '0.031')
    """
    if math.isnan(p):
        return "–"
    if p == 0:
        return "0"
    if p >= 0.001:
        return f"{p:.3f}"
    mantissa, exponent = f"{p:.1e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def pair(x: str, y: str, given: str = "") -> str:
    """Name a correlation.

    >>> pair("score", "performance", "log_width")
    'score with performance, at equal ln width'
    >>> pair("score_in_subj01", "performance")
    'score in subj01 with performance'
    """
    held = f", at equal {' and '.join(_NAMES[one] for one in given.split('+'))}" if given else ""
    return f"{_NAMES.get(x, x.replace('_', ' '))} with {_NAMES[y]}{held}"


def reading(params: str) -> str:
    """Say what the parameters of a score mean.

    >>> reading("c=1 debiased")
    'debiased CKA, Gaussian kernel 1 times as wide as the median distance'
    >>> reading("sigma=9 biased")
    'biased CKA, Gaussian kernel of the fixed width 9'
    """
    kernel, _, estimator = params.partition(" ")
    name, _, size = kernel.partition("=")
    said = {
        "linear": "linear kernel",
        "c": f"Gaussian kernel {size} times as wide as the median distance",
        "sigma": f"Gaussian kernel of the fixed width {size}",
    }
    return f"{estimator} CKA, {said[name]}"


def count(number_of: int, thing: str) -> str:
    """Count things.

    >>> count(1, "model"), count(3, "family")
    ('1 model', '3 families')
    """
    many = thing[:-1] + "ies" if thing.endswith("y") else thing + "s"
    return f"{number_of:,} {thing if number_of == 1 else many}"
