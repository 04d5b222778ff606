"""Sixteen float32 side by side, a type for compiled loops: what is summed in which order is written, not guessed.

A processor with narrower registers takes a group in pieces and finds the same numbers. A product and a sum may be
rounded together, as everywhere in `_fused`; nothing else may be reordered. numba keeps compiled loops by the file in
which they stand, so `_fused` has to be touched when this file changes.
"""

import operator
from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir  # type: ignore[import-untyped] # it has no types
from numba.core import cgutils, types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 16
HIGH, WIDE = 4, 6  # rows of two sides multiplied together: their sums fill the registers

_FLOAT, _DOUBLE, _WORD = ir.FloatType(), ir.DoubleType(), ir.IntType(32)
_FLOATS, _WORDS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_WORD, LANES)
_TOGETHER = ("contract",)
_MANTISSA, _BIAS = 23, 127  # of a float32


class _Type(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes = _Type()


@register_model(_Type)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _FLOATS)  # type: ignore[no-untyped-call] # numba has no types


def _emitted(typed: Callable[..., Any]) -> Callable[..., Any]:
    return cast("Callable[..., Any]", intrinsic(typed))


def _operator(function: Callable[..., Any], name: str) -> None:
    """Let compiled loops use an operator of Python on lanes."""

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return getattr(builder, name)(*args, flags=_TOGETHER)

    infer_global(function)(type(name, (ConcreteTemplate,), {"cases": [signature(lanes, lanes, lanes)]}))
    lower_builtin(function, lanes, lanes)(emit)


for _function, _name in {
    operator.add: "fadd",
    operator.iadd: "fadd",
    operator.sub: "fsub",
    operator.mul: "fmul",
}.items():
    _operator(_function, _name)


def _spread(builder: Any, kind: Any, number: Any) -> Any:
    nothing = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(nothing, number, ir.Constant(_WORD, 0))
    return builder.shuffle_vector(one, nothing, ir.Constant(_WORDS, [0] * LANES))


def _pointer(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), _FLOATS.as_pointer())


def _sum(builder: Any, v: Any) -> Any:
    kind = ir.FunctionType(_FLOAT, (_FLOAT, _FLOATS))
    reduce = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.fadd.v{LANES}f32")
    return builder.call(reduce, [ir.Constant(_FLOAT, -0.0), v], fastmath=("reassoc",))


@_emitted
def splat(_context: Any, _number: Any) -> Any:
    """The same float32 in every lane."""
    return lanes(types.float32), lambda _c, builder, _s, args: _spread(builder, _FLOATS, args[0])


@_emitted
def load(_context: Any, array: Any, _at: Any) -> Any:
    """Sixteen neighbours of an array of one dimension."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature.args[0], *args), align=4)

    return lanes(array, types.intp), emit


@_emitted
def store(_context: Any, array: Any, _at: Any, _v: Any) -> Any:
    """Write sixteen neighbours of an array of one dimension."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array, at, v = args
        builder.store(v, _pointer(context, builder, signature.args[0], array, at), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), emit


@_emitted
def larger(_context: Any, _a: Any, _b: Any) -> Any:
    """The larger one, lane by lane."""

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return lanes(lanes, lanes), emit


@_emitted
def power(_context: Any, _shifted: Any) -> Any:
    """2^r of whole numbers r in [-126, 127], given as 1.5 * 2^23 + r: they stand in the last bits."""

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        bits = builder.shl(builder.bitcast(args[0], _WORDS), ir.Constant(_WORDS, [_MANTISSA] * LANES))
        return builder.bitcast(builder.add(bits, ir.Constant(_WORDS, [_BIAS << _MANTISSA] * LANES)), _FLOATS)

    return lanes(lanes), emit


@_emitted
def blanked(_context: Any, _v: Any, _count: Any, _but: Any) -> Any:
    """Zero from lane `count` on, and in the lane `but`, if there is one."""

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        lane = ir.Constant(_WORDS, list(range(LANES)))
        count, but = (_spread(builder, _WORDS, builder.trunc(one, _WORD)) for one in args[1:])
        kept = builder.and_(builder.icmp_signed("<", lane, count), builder.icmp_signed("!=", lane, but))
        return builder.select(kept, args[0], ir.Constant(_FLOATS, [0.0] * LANES))

    return lanes(lanes, types.intp, types.intp), emit


@_emitted
def total(_context: Any, _v: Any) -> Any:
    """The sum of the lanes."""
    return types.float32(lanes), lambda _c, builder, _s, args: _sum(builder, args[0])


class _Rows:
    """Rows of an array of two dimensions, counted from one of them."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any, first: Any) -> None:
        self._builder, self._first, array = builder, first, context.make_array(kind)(context, builder, value)
        self._data, self.count = array.data, cgutils.unpack_tuple(builder, array.shape)[0]
        self._stride = cgutils.unpack_tuple(builder, array.strides)[0]  # in bytes

    def at(self, row: int) -> tuple[Any, Any]:
        """Number and address of a row."""
        b = self._builder
        number = b.add(self._first, ir.Constant(self._first.type, row))
        address = b.add(b.ptrtoint(self._data, self._stride.type), b.mul(self._stride, number))
        return number, b.inttoptr(address, self._data.type)


@_emitted
def multiply(_context: Any, v: Any, w: Any, _s: Any, _t: Any, _length: Any, cross: Any) -> Any:
    """cross_st += sum_k v_sk w_tk, k < length, for four s and six t at a time, of which `cross` may have fewer."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds, (v, w, s, t, length, cross) = signature.args, args
        ours, theirs = _Rows(context, builder, kinds[0], v, s), _Rows(context, builder, kinds[1], w, t)
        left, right = [ours.at(x)[1] for x in range(HIGH)], [theirs.at(y)[1] for y in range(WIDE)]
        zero = ir.Constant(_FLOATS, [0.0] * LANES)
        sums = [[cgutils.alloca_once_value(builder, zero) for _ in right] for _ in left]
        start, step = (ir.Constant(length.type, one) for one in (0, LANES))
        with cgutils.for_range_slice(builder, start, length, step, inc=True) as (k, _):
            a, b = ([_at(builder, row, k) for row in rows] for rows in (left, right))
            for x, y in ((x, y) for x in range(HIGH) for y in range(WIDE)):
                product = builder.fmul(a[x], b[y], flags=_TOGETHER)
                builder.store(builder.fadd(builder.load(sums[x][y]), product, flags=_TOGETHER), sums[x][y])
        into = _Rows(context, builder, kinds[5], cross, s)
        columns = cgutils.unpack_tuple(builder, context.make_array(kinds[5])(context, builder, cross).shape)[1]
        for x in range(HIGH):
            number, row = into.at(x)
            with builder.if_then(builder.icmp_signed("<", number, into.count)):
                for y in range(WIDE):
                    column = builder.add(t, ir.Constant(t.type, y))
                    with builder.if_then(builder.icmp_signed("<", column, columns)):
                        one = builder.fpext(_sum(builder, builder.load(sums[x][y])), _DOUBLE)
                        to = builder.gep(row, [column])
                        builder.store(builder.fadd(builder.load(to), one), to)
        return context.get_dummy_value()

    return types.void(v, w, types.intp, types.intp, types.intp, cross), emit


def _at(builder: Any, row: Any, k: Any) -> Any:
    return builder.load(builder.bitcast(builder.gep(row, [k]), _FLOATS.as_pointer()), align=4)
