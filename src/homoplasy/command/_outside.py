"""What this checkout leans on beyond the machine: the remote, the data agreement, a cluster."""

import importlib.util
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from homoplasy.command import _pipeline
from homoplasy.command._line import Here, Line
from homoplasy.errors import HomoplasyError

_PLACEHOLDER = "YOUR-BUCKET"
_POINT = "dvc remote modify --local results url s3://my-bucket/homoplasy"
_KEYS = (
    "give the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or in .dvc/config.local (dvc remote modify --local)"
)
_WHO = ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT")
_NAME = "git config user.name 'Your Name' and git config user.email you@example.org"
_SECONDS = 10.0  # that a server or a scheduler is waited for
_SAID = {
    "NoCredentialsError": ("no credentials were found for {bucket}", _KEYS),
    "ProfileNotFound": ("the profile that the remote names is not in ~/.aws", _KEYS),
    "InvalidAccessKeyId": ("the server does not know the key that was given for {bucket}", _KEYS),
    "SignatureDoesNotMatch": ("the secret does not fit the key that was given for {bucket}", _KEYS),
    "403": ("the server refuses {bucket} to these keys", _KEYS),
    "AccessDenied": ("the server refuses {bucket} to these keys", _KEYS),
    "NoSuchBucket": ("the server has no bucket {bucket}", "make it, or mend the address: " + _POINT),
}


def remote(here: Here) -> Line:
    """Whether a remote is named, and whether it answers with the keys at hand."""
    with _pipeline.opened(here.root) as repo:
        name = repo.config["core"].get("remote")
        settings = dict(repo.config["remote"].get(name, {})) if name else {}
    url = str(settings.get("url", ""))
    if not url:
        return Line("remote", "note", "none is named, so that nothing can be pushed or pulled", _POINT)
    if _PLACEHOLDER in url:
        return Line("remote", "note", f"{url} is a placeholder: nothing can be pushed or pulled", _POINT)
    where = urlsplit(url)
    if where.scheme == "s3":
        return _bucket(where.netloc, where.path.strip("/"), settings)
    if where.scheme in {"", "file"}:
        there = Path(where.path).is_dir()
        return Line("remote", "ok" if there else "note", f"{url} {'is' if there else 'is not'} there")
    return Line("remote", "note", f"{where.scheme}://{where.hostname} is not looked at", "dvc status --cloud asks it")


def _bucket(bucket: str, prefix: str, settings: Mapping[str, Any]) -> Line:
    """Ask for one name in the bucket, as DVC would: with the remote's own settings, else those of the environment."""
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    keys = {
        name: settings.get(key)
        for name, key in (
            ("aws_access_key_id", "access_key_id"),
            ("aws_secret_access_key", "secret_access_key"),
            ("aws_session_token", "session_token"),
            ("profile_name", "profile"),
            ("region_name", "region"),
        )
    }
    quick = Config(
        connect_timeout=_SECONDS,
        read_timeout=_SECONDS,
        retries={"total_max_attempts": 1},
        signature_version=UNSIGNED if settings.get("allow_anonymous_login") else None,
    )
    try:
        session = boto3.session.Session(**keys)
        client = session.client("s3", endpoint_url=settings.get("endpointurl"), config=quick)
        client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    except ClientError as fault:
        return _refusal(str(fault.response["Error"].get("Code", "")), bucket, _key(session.get_credentials()))
    except (BotoCoreError, ValueError) as fault:
        return _refusal(type(fault).__name__, bucket)
    return Line("remote", "ok", f"the bucket {bucket} answers")


def _key(used: Any) -> str:
    """Which key was shown, by its end, and where it stands."""
    places = {
        "explicit": "the settings of the remote (dvc config --list --show-origin)",
        "env": "AWS_ACCESS_KEY_ID",
        "shared-credentials-file": "~/.aws/credentials",
        "config-file": "~/.aws/config",
    }
    return (
        f"; the key that ends in {used.access_key[-4:]} is from {places.get(used.method, used.method)}" if used else ""
    )


def _refusal(code: str, bucket: str, key: str = "") -> Line:
    says, do = _SAID.get(code, ("{bucket} does not answer", "check the network, the remote's url and AWS_ENDPOINT_URL"))
    return Line("remote", "wrong", f"{says.format(bucket=bucket)} ({code}{key})", do)


def agreement(here: Here) -> Line:
    """Whether the user has written down that the agreement of NSD is signed."""
    from homoplasy.datasets import _agreement
    from homoplasy.datasets.nsd.facts import FACTS

    local = here.root / "local.yaml"
    try:
        _agreement.signed(local, FACTS.agreement)
    except HomoplasyError as fault:
        if here.world == "nsd":
            return Line("agreement", "wrong", str(fault), f"sign it, then write that into {local}")
        return Line("agreement", "ok", "that of NSD is not signed; only the world nsd needs it")
    return Line("agreement", "ok", "that of NSD is signed")


def identity(here: Here) -> Line:
    """Whether git can commit: experiments of DVC stand on commits, and are commits."""
    if not shutil.which("git"):
        return Line("git", "wrong", "there is no git here", "install git")
    asked = (subprocess.run(("git", "var", name), cwd=here.root, capture_output=True, check=False) for name in _WHO)
    if any(done.returncode for done in asked):
        return Line("git", "note", "it does not know who you are, so that no commit can be made", _NAME)
    return Line("git", "ok", "it can commit")


def cluster(here: Here) -> Line:
    """Whether SLURM answers, where local.yaml gives work to it."""
    from homoplasy.stages import _place

    try:
        needed = _place.read(here.params, "extract").kind == "slurm"
    except HomoplasyError as fault:
        return Line("cluster", "wrong", str(fault), "mend local.yaml")
    if not shutil.which("sinfo"):
        says = "there is no SLURM here (sinfo)"
        if needed:
            return Line("cluster", "wrong", f"{says}, and the executor is slurm", "write executor: local in local.yaml")
        return Line("cluster", "ok", f"{says}; none is needed")
    faults = [fault for fault in (_answer("sinfo", "-h"), _answer("sacct", "-n", "-X"), _submitit()) if fault]
    if faults:
        says, do = faults[0]
        return Line("cluster", "wrong" if needed else "note", says, do)
    return Line("cluster", "ok", f"SLURM answers{'' if needed else ', and is not asked to do anything'}")


def _answer(*words: str) -> tuple[str, str] | None:
    """What is wrong with a command of SLURM, and what to do."""
    advice = {
        "sinfo": "ask the keeper of the cluster, or write executor: local in local.yaml",
        "sacct": "without accounting a killed task is noticed late: ask for slurmdbd",
    }[words[0]]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as fault:
        return f"{words[0]} does not answer ({type(fault).__name__})", advice
    if done.returncode:
        return f"{words[0]} fails ({done.stderr.strip().partition(chr(10))[0]})", advice
    return None


def _submitit() -> tuple[str, str] | None:
    if importlib.util.find_spec("submitit"):
        return None
    return "submitit is not installed", "pip install 'homoplasy[slurm]'"
