"""A bucket behind the S3 protocol: what an object is, and its bytes from any place on.

AWS_ENDPOINT_URL names another server than Amazon's; credentials, where they are used, come from the usual AWS
variables. Neither is ever part of a message: an address may carry a password or a signature.
"""

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

from homoplasy.errors import BadRequest, WorkFailed

_CHUNK = 1 << 18
_PLAIN_MD5 = re.compile(r"[0-9a-f]{32}")


class Absent(WorkFailed):
    """The bucket does not have the object, or does not give it to us."""


class Changed(WorkFailed):
    """The object is no longer the one that was described."""


class Interrupted(Exception):
    """The server could not be reached or stopped in the middle; trying again may help."""


@dataclass(frozen=True)
class Remote:
    """One version of an object: its size, its ETag, and its MD5 where the ETag is one."""

    key: str
    size: int
    etag: str
    md5: str | None = None


class Bucket:
    """A bucket that is only read."""

    def __init__(self, name: str, *, anonymous: bool, region: str, timeout: float = 60.0) -> None:
        self.name = name
        settings = Config(
            signature_version=UNSIGNED if anonymous else None,
            retries={"mode": "adaptive", "total_max_attempts": 3},
            connect_timeout=min(timeout, 10.0),
            read_timeout=timeout,
            max_pool_connections=16,
            response_checksum_validation="when_required",  # size, MD5 and SHA-256 are checked where the bytes are kept
        )
        try:
            self._client = boto3.session.Session().client("s3", region_name=region, config=settings)
        except (ValueError, BotoCoreError) as fault:
            raise BadRequest(
                f"no S3 client can be made of these settings ({type(fault).__name__}); check AWS_ENDPOINT_URL (such as "
                f"https://host:port), the other AWS_ variables, and fetch.region, which is {region!r}."
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def describe(self, key: str) -> Remote:
        """Ask for the size and version of an object."""
        try:
            with self._spoken(key):
                head = self._client.head_object(Bucket=self.name, Key=key)
        except Interrupted as fault:
            raise WorkFailed(
                f"cannot reach the S3 server {server()} ({fault}); check the network and AWS_ENDPOINT_URL, then run "
                "dvc repro fetch again."
            ) from None
        etag = str(head["ETag"])
        plain = etag.strip('"')
        encrypted = head.get("ServerSideEncryption", "AES256") != "AES256"  # then the ETag is not an MD5
        md5 = plain if _PLAIN_MD5.fullmatch(plain) and not encrypted else None
        return Remote(key, int(head["ContentLength"]), etag, md5)

    def stream(self, remote: Remote, start: int) -> Iterator[bytes]:
        """Yield the bytes of that version of an object from `start` on."""
        with self._spoken(remote.key):
            answer = self._client.get_object(
                Bucket=self.name, Key=remote.key, IfMatch=remote.etag, Range=f"bytes={start}-"
            )
            with closing(answer["Body"]) as body:
                yield from body.iter_chunks(_CHUNK)

    @contextmanager
    def _spoken(self, key: str) -> Iterator[None]:
        """Turn what the client raises into our own errors."""
        try:
            yield
        except ClientError as error:
            raise self._refusal(int(error.response["ResponseMetadata"]["HTTPStatusCode"]), key) from None
        except NoCredentialsError:
            raise BadRequest(
                "no AWS credentials were found; set fetch.anonymous to true, or give them in the usual AWS variables."
            ) from None
        except ParamValidationError:
            raise BadRequest(f"fetch.bucket is {self.name!r}, which cannot be the name of a bucket.") from None
        except (BotoCoreError, OSError) as error:
            raise Interrupted(type(error).__name__) from None

    def _refusal(self, status: int, key: str) -> Exception:
        where = f"'{key}' in bucket '{self.name}' of {server()}"
        if status == 412:
            return Changed(f"{where} changed while it was being fetched; run dvc repro fetch again.")
        if status == 404:
            return Absent(f"there is no {where}; check fetch.bucket, or ask the keeper of the mirror.")
        if status in {401, 403}:
            return Absent(
                f"the server refused to give {where} ({status}); check fetch.bucket and fetch.anonymous, and your "
                "permission to read it."
            )
        if status == 429 or status >= 500:
            return Interrupted(f"status {status}")
        return WorkFailed(f"the server answered {status} for {where}; check fetch.bucket and fetch.region.")


def server() -> str:
    """Name the server without anything that could be secret."""
    address = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not address:
        return "amazonaws.com"
    parts = urlsplit(address)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
