"""Files of the model hub, at a pinned or resolved commit, with one sentence for what can go wrong."""

from pathlib import Path

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from homoplasy.errors import WorkFailed


def file(repository: str, name: str, revision: str | None, *, gated: bool = False) -> Path:
    """The local copy of a file, downloaded if the cache does not have it."""
    licence = f"accept its licence at https://huggingface.co/{repository}, then log in here with: hf auth login"
    try:
        return Path(hf_hub_download(repository, name, revision=revision))
    except GatedRepoError:
        raise WorkFailed(f"'{repository}' is gated: {licence}") from None
    except RepositoryNotFoundError:
        raise WorkFailed(
            f"the model hub has no '{repository}', or it is private; check the name in the roster."
        ) from None
    except RevisionNotFoundError:
        raise WorkFailed(f"'{repository}' has no revision '{revision}'; check the roster.") from None
    except (LocalEntryNotFoundError, OfflineModeIsEnabled):
        raise WorkFailed(
            f"'{repository}' is not in the local cache and the model hub cannot be reached; "
            "connect to the network, or choose a roster of models that need no download."
            f"{f' It is gated: {licence}' if gated else ''}"
        ) from None
    except EntryNotFoundError:
        raise WorkFailed(f"'{repository}' has no file '{name}'; only weights as safetensors are read.") from None
    except HfHubHTTPError as fault:
        status = fault.response.status_code
        raise WorkFailed(f"the model hub answered {status} for '{repository}'; try again later.") from None


def commit(path: Path) -> str:
    """The commit that a cached file belongs to: `…/snapshots/<commit>/<file>`."""
    return path.parts[path.parts.index("snapshots") + 1]
