"""Read what modules give out during a forward pass, through hooks that are always taken off again."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from torch import Tensor, nn

from homoplasy.errors import WorkFailed

T = TypeVar("T")


@contextmanager
def watched(modules: Mapping[str, nn.Module], take: Callable[[str, Any], T]) -> Iterator[dict[str, T]]:
    """Yield a dictionary that fills, in the order of the forward pass, with `take(name, output)` of each module."""
    taken: dict[str, T] = {}

    def hook(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def keep(_module: nn.Module, _given: Any, output: Any) -> None:
            if name in taken:
                raise WorkFailed(
                    f"layer '{name}' ran twice in one forward pass; which of the two is meant is not known."
                )
            taken[name] = take(name, output)

        return keep

    handles = [module.register_forward_hook(hook(name)) for name, module in modules.items()]
    try:
        yield taken
    finally:
        for handle in handles:
            handle.remove()


def tapped(
    modules: Mapping[str, nn.Module], take: Callable[[str, Tensor], Tensor]
) -> AbstractContextManager[dict[str, Tensor]]:
    """As `watched`, of the first output of each module that gives several."""
    return watched(modules, lambda name, output: take(name, output[0] if isinstance(output, tuple) else output))


def drained(taken: dict[str, T], expected: list[str]) -> dict[str, T]:
    """Empty the dictionary between batches; the layers must have run in their expected order."""
    if list(taken) != expected:
        raise WorkFailed(f"the layers ran as {list(taken)}; expected {expected}, in this order.")
    values = dict(taken)
    taken.clear()
    return values
