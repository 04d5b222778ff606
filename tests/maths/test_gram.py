"""Products and eigenvectors that go round torch are those of torch."""

import torch

from homoplasy.maths import gram


def test_products_and_eigenvectors_are_those_of_torch():
    x = torch.randn(9, 5000, generator=torch.Generator().manual_seed(1)) + 3
    wide = x.double() - x.double().mean(0)
    torch.testing.assert_close(gram.gram(x.double()), x.double() @ x.double().T, rtol=1e-12, atol=0)
    found = gram.centred_gram(x)
    torch.testing.assert_close(found, wide @ wide.T, rtol=1e-12, atol=1e-9)
    values, vectors = gram.eigh(found)
    torch.testing.assert_close(values, torch.linalg.eigvalsh(found), rtol=1e-10, atol=1e-8)
    torch.testing.assert_close(vectors @ values.diag() @ vectors.T, found, rtol=1e-10, atol=1e-8)
