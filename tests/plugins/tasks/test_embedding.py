import torch

from rnnlab_plugins.tasks.config import SourceConfig
from rnnlab_plugins.tasks.embedding import SourceEmbedding

LENGTHS = torch.tensor([2, 1])


def test_tokens_are_looked_up(make_schema):
    embedding = SourceEmbedding(SourceConfig(embedding_size=5), make_schema("class", source=9))
    tokens = torch.tensor([[3, 8], [1, 0]])
    assert embedding.output_size == 5
    assert torch.equal(embedding(tokens, LENGTHS), embedding.layer.weight[tokens])


def test_features_go_in_as_they_are_in_the_models_dtype(make_schema):
    embedding = SourceEmbedding(SourceConfig(), make_schema("class", features=3)).double()
    source = torch.randn(2, 2, 3)
    source[1, 1] = float("nan")
    embedded = embedding(source, LENGTHS)
    assert embedding.output_size == 3
    assert embedded.dtype == torch.float64
    assert torch.equal(embedded[0], source[0].double())
    assert torch.equal(embedded[1, 1], torch.zeros(3, dtype=torch.float64))
    assert embedding.state_dict() == {}


def test_projected_features_keep_nan_at_padding_out_of_the_gradient(make_schema):
    config = SourceConfig(embedding_size=5)
    embedding = SourceEmbedding(config, make_schema("class", features=3))
    source = torch.randn(2, 2, 3)
    source[1, 1] = float("nan")
    embedded = embedding(source, LENGTHS)
    torch.testing.assert_close(embedded[1, 0], embedding.layer.weight @ source[1, 0] + embedding.layer.bias)
    embedded[0].sum().backward()
    torch.testing.assert_close(embedding.layer.weight.grad[0], source[0].sum(0))


def test_dropout_is_for_training_alone(make_schema):
    embedding = SourceEmbedding(SourceConfig(embedding_size=64, dropout=0.5), make_schema("class"))
    tokens = torch.tensor([[3, 8], [1, 0]])
    assert (embedding(tokens, LENGTHS) == 0).float().mean() > 0.3
    assert torch.equal(embedding.eval()(tokens, LENGTHS), embedding.layer.weight[tokens])
