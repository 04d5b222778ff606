from homoplasy.datasets.pocket.streams import stream


def test_a_stream_is_fixed_by_seed_and_name():
    first = stream(1, "model", "a").standard_normal(4)
    assert (first == stream(1, "model", "a").standard_normal(4)).all()
    for other in (stream(2, "model", "a"), stream(1, "model", "b"), stream(1, "model")):
        assert not (first == other.standard_normal(4)).any()
