"""A bucket over a real S3 server: what it answers becomes one sentence, and nothing secret is in it."""

import time

import pytest

from homoplasy.datasets._bucket import Absent, Bucket, Changed, Interrupted
from homoplasy.errors import BadRequest, WorkFailed
from tests.datasets.conftest import REGION

pytestmark = pytest.mark.s3


def test_an_object_is_described_and_streamed_from_any_place(serve, client):
    bucket = client(serve({"a/b": b"0123456789"}).name)
    found = bucket.describe("a/b")
    assert (found.size, found.md5) == (10, "781e5e245d69b566979b86e28d23f2c7")
    assert b"".join(bucket.stream(found, 0)) == b"0123456789"
    assert b"".join(bucket.stream(found, 7)) == b"789"


def test_an_object_in_parts_has_no_md5(serve, client):
    served = serve({})
    upload = served.client.create_multipart_upload(Bucket=served.name, Key="big", ACL="public-read")["UploadId"]
    at = {"Bucket": served.name, "Key": "big", "UploadId": upload}
    tags = [
        {"PartNumber": n, "ETag": served.client.upload_part(**at, PartNumber=n, Body=body)["ETag"]}
        for n, body in ((1, bytes(5 << 20)), (2, b"end"))
    ]
    served.client.complete_multipart_upload(**at, MultipartUpload={"Parts": tags})
    found = client(served.name).describe("big")
    assert found.size == (5 << 20) + 3
    assert found.etag.endswith('-2"')
    assert found.md5 is None


def test_a_missing_object_is_absent(serve, client):
    with pytest.raises(Absent, match="there is no 'nope' in bucket"):
        client(serve({}).name).describe("nope")


def test_a_private_object_is_refused_403(serve, client):
    served = serve({})
    served.put("secret", b"x", acl="private")
    with pytest.raises(Absent, match=r"refused to give 'secret' in bucket '.*' of 127\.0\.0\.1:\d+ \(403\)"):
        client(served.name).describe("secret")


def test_credentials_open_a_private_object(serve, client, monkeypatch):
    served = serve({})
    served.put("mine", b"x", acl="private")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "keeper-0123456789")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "keeper-secret-0123456789")
    assert client(served.name, anonymous=False).describe("mine").size == 1


def test_no_credentials_where_they_are_wanted(serve, client, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(BadRequest, match=r"no AWS credentials were found; set fetch\.anonymous to true"):
        client(serve({}).name, anonymous=False).describe("mine")


def test_a_changed_object_is_noticed_412(serve, client):
    served = serve({"a": b"old"})
    bucket = client(served.name)
    found = bucket.describe("a")
    served.put("a", b"new")
    with pytest.raises(Changed, match="changed while it was being fetched"):
        list(bucket.stream(found, 1))


def test_an_offline_server_is_one_sentence_quickly(client, endpoint, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://somebody:a-password@127.0.0.1:9")
    start = time.monotonic()
    with pytest.raises(WorkFailed, match=r"cannot reach the S3 server 127\.0\.0\.1:9 ") as failure:
        client("any").describe("a")
    assert time.monotonic() - start < 8
    assert "somebody" not in str(failure.value)
    assert "a-password" not in str(failure.value)


def test_a_silent_server_is_given_up(serve, client, line):
    served = serve({"a": b"0"})
    line().silent = True
    with pytest.raises(WorkFailed, match="cannot reach the S3 server"):
        client(served.name, timeout=0.3).describe("a")


def test_a_line_that_is_cut_interrupts(serve, client, line):
    served = serve({"a": bytes(1 << 20)})
    bucket = client(served.name)
    found = bucket.describe("a")
    line(cut=200_000)
    cut = client(served.name)
    arrived = []
    with pytest.raises(Interrupted):
        arrived.extend(cut.stream(found, 0))
    assert len(b"".join(arrived)) < 1 << 20


@pytest.mark.parametrize("address", ["127.0.0.1:9", "no address"])
def test_an_endpoint_that_is_no_address_is_refused(endpoint, monkeypatch, address):
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    with pytest.raises(BadRequest, match="check AWS_ENDPOINT_URL"):
        Bucket("any", anonymous=True, region=REGION)


@pytest.mark.parametrize("name", ["", "no/name", "a"])
def test_a_name_that_no_bucket_can_have_is_refused(client, endpoint, name):
    with pytest.raises((BadRequest, Absent)):
        client(name).describe("a")
