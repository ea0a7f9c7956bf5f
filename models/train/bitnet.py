"""The network: BitNet b1.58 with sub-norms, as the engine runs it (docs/protocol/numerics.md), made
trainable by straight-through estimators. With `ternary=False` the same shape in full precision, its
twin for comparison.
"""

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Shape:
    """Dimensions; the names are the manifest's."""

    vocab: int = 6144
    hidden: int = 256
    feed_forward: int = 768
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    context: int = 512
    rope_theta: int = 10_000
    norm_epsilon: float = 1e-5

    def to_dict(self) -> dict:
        return asdict(self)


def ternary_weight(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Values of -1, 0, 1 and the scale that multiplies them: the mean of the absolute values."""
    scale = weight.abs().mean().clamp(min=1e-5)
    return (weight / scale).round().clamp(-1, 1), scale


def int8_rows(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Values of -127 to 127 and one scale a row."""
    scale = weight.abs().amax(dim=-1, keepdim=True).clamp(min=1e-8) / 127
    return (weight / scale).round().clamp(-127, 127), scale


def quantised_activation(x: torch.Tensor) -> torch.Tensor:
    """Each token to int8 by its greatest absolute value, and back."""
    scale = 127 / x.abs().amax(dim=-1, keepdim=True).clamp(min=1e-5)
    return (x * scale).round().clamp(-128, 127) / scale


def straight_through(value: torch.Tensor, rounded: torch.Tensor) -> torch.Tensor:
    """`rounded` forwards; the gradient of `value` backwards."""
    return value + (rounded - value).detach()


class BitLinear(nn.Linear):
    """A ternary matrix times int8 activations."""

    def __init__(self, inputs: int, outputs: int, ternary: bool):
        super().__init__(inputs, outputs, bias=False)
        self.ternary = ternary

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.ternary:
            return F.linear(x, self.weight)
        values, scale = ternary_weight(self.weight)
        weight = straight_through(self.weight, values * scale)
        return F.linear(straight_through(x, quantised_activation(x)), weight)


class Norm(nn.Module):
    """RMSNorm."""

    def __init__(self, width: int, epsilon: float):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(width)), epsilon

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.epsilon)


class Layer(nn.Module):
    """Attention and feed-forward with the norms of BitNet b1.58 2B4T."""

    def __init__(self, shape: Shape, ternary: bool):
        super().__init__()
        self.shape = shape
        queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        self.attention_norm = Norm(shape.hidden, shape.norm_epsilon)
        self.query = BitLinear(shape.hidden, queries, ternary)
        self.key = BitLinear(shape.hidden, keys, ternary)
        self.value = BitLinear(shape.hidden, keys, ternary)
        self.attention_sub_norm = Norm(queries, shape.norm_epsilon)
        self.attention_output = BitLinear(queries, shape.hidden, ternary)
        self.feed_forward_norm = Norm(shape.hidden, shape.norm_epsilon)
        self.gate = BitLinear(shape.hidden, shape.feed_forward, ternary)
        self.up = BitLinear(shape.hidden, shape.feed_forward, ternary)
        self.feed_forward_sub_norm = Norm(shape.feed_forward, shape.norm_epsilon)
        self.down = BitLinear(shape.feed_forward, shape.hidden, ternary)

    def attend(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        batch, length, _ = x.shape
        shape = self.shape
        q = self.query(x).view(batch, length, shape.heads, shape.head_dim).transpose(1, 2)
        k = self.key(x).view(batch, length, shape.kv_heads, shape.head_dim).transpose(1, 2)
        v = self.value(x).view(batch, length, shape.kv_heads, shape.head_dim).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        group = shape.heads // shape.kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return out.transpose(1, 2).reshape(batch, length, -1)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        attended = self.attend(self.attention_norm(x), cos, sin)
        x = x + self.attention_output(self.attention_sub_norm(attended))
        b = self.feed_forward_norm(x)
        inner = F.relu(self.gate(b)).square() * self.up(b)
        return x + self.down(self.feed_forward_sub_norm(inner))


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary positions, the halves of a head against each other."""
    one, two = x.chunk(2, dim=-1)
    return torch.cat((one * cos - two * sin, two * cos + one * sin), dim=-1)


class Network(nn.Module):
    """Tied embedding, layers, final norm."""

    def __init__(self, shape: Shape, ternary: bool = True):
        super().__init__()
        self.shape, self.ternary = shape, ternary
        self.token_embedding = nn.Embedding(shape.vocab, shape.hidden)
        self.blocks = nn.ModuleList(Layer(shape, ternary) for _ in range(shape.layers))
        self.output_norm = Norm(shape.hidden, shape.norm_epsilon)
        exponents = torch.arange(0, shape.head_dim, 2, dtype=torch.float64) / shape.head_dim
        frequencies = (shape.rope_theta**-exponents).float()
        angles = torch.outer(torch.arange(shape.context).float(), frequencies)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                deviation = 0.02 if "embedding" in name else parameter.shape[1] ** -0.5
                nn.init.normal_(parameter, std=deviation)

    def embedding(self) -> torch.Tensor:
        """The embedding, which is the head too, as it will be stored."""
        weight = self.token_embedding.weight
        if not self.ternary:
            return weight
        values, scale = int8_rows(weight)
        return straight_through(weight, values * scale)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits `[batch, length, vocab]` of `tokens` `[batch, length]`."""
        embedding = self.embedding()
        x, length = F.embedding(tokens, embedding), tokens.shape[1]
        cos, sin = self.cos[:length], self.sin[:length]
        for block in self.blocks:
            x = block(x, cos, sin)
        x = self.output_norm(x)
        if self.ternary:
            x = straight_through(x, quantised_activation(x))
        return F.linear(x, embedding)
