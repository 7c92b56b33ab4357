"""The paper's decoder in PyTorch, as one would write it there: the peer of our benchmarks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import nn


class LRCN(nn.Module):
    """LRCN_2f (Barratt 2017, section 4): two LSTMs, the second of which also reads r(x).

    Args:
        vocabulary_size: number of token ids; 0 is padding.
        r_width: length of r(x).
        embedding_dim, units, dropout: the paper's by default.
        project_once: whether r(x) is projected once a sentence, instead of being concatenated to the words'
            states and projected with each of them.
    """

    def __init__(
        self,
        vocabulary_size: int,
        r_width: int,
        embedding_dim: int = 256,
        units: int = 512,
        dropout: float = 0.2,
        project_once: bool = False,
    ) -> None:
        super().__init__()
        self.project_once = project_once
        self.embedding = nn.Embedding(vocabulary_size, embedding_dim)
        self.lstm_1 = nn.LSTM(embedding_dim, units, batch_first=True)
        if project_once:
            self.merge_words = nn.Linear(units, units, bias=False)
            self.merge_r = nn.Linear(r_width, units)
        else:
            self.merge = nn.Linear(units + r_width, units)
        self.lstm_2 = nn.LSTM(units, units, batch_first=True)
        self.output = nn.Linear(units, vocabulary_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, r: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Returns the logits `(batch, words, vocabulary)` of the words after `tokens`, `(batch, words)`."""
        hidden = self.dropout(self.lstm_1(self.embedding(tokens))[0])
        if self.project_once:
            merged = self.merge_words(hidden) + self.merge_r(r)[:, None]
        else:
            merged = self.merge(torch.cat([hidden, r[:, None].expand(-1, tokens.shape[1], -1)], dim=-1))
        return self.output(self.dropout(self.lstm_2(merged)[0]))

    @torch.inference_mode()
    def generate(self, r: torch.Tensor, words: int, cells: bool) -> torch.Tensor:
        """Says `words` words greedily, the states kept from word to word and r(x) projected once.

        Args:
            r: float `(batch, width)`.
            words: number of words.
            cells: whether to step through `nn.LSTMCell`s of the same weights instead of through `nn.LSTM`.

        Returns:
            Token ids `(batch, words)`.
        """
        lstms = [_Cell(lstm) if cells else _Step(lstm) for lstm in (self.lstm_1, self.lstm_2)]
        from_r, token, said = self.merge_r(r), torch.ones(len(r), dtype=torch.long), []
        states = [None, None]
        for _ in range(words):
            hidden, states[0] = lstms[0](self.embedding(token), states[0])
            hidden, states[1] = lstms[1](self.merge_words(hidden) + from_r, states[1])
            token = self.output(hidden).argmax(dim=-1)
            said.append(token)
        return torch.stack(said, dim=1)


class _Step:
    """One word through an `nn.LSTM`."""

    def __init__(self, lstm: nn.LSTM) -> None:
        self.lstm = lstm

    def __call__(self, x: torch.Tensor, state: tuple | None) -> tuple:
        hidden, state = self.lstm(x[:, None], state)
        return hidden[:, 0], state


class _Cell:
    """One word through an `nn.LSTMCell` that has the weights of an `nn.LSTM`."""

    def __init__(self, lstm: nn.LSTM) -> None:
        kind = lstm.weight_ih_l0.dtype
        self.cell = nn.LSTMCell(lstm.input_size, lstm.hidden_size, dtype=kind)
        self.cell.load_state_dict({name.removesuffix("_l0"): w for name, w in lstm.state_dict().items()})

    def __call__(self, x: torch.Tensor, state: tuple | None) -> tuple:
        state = self.cell(x, state)
        return state[0], state


def supports_bfloat16() -> bool:
    """Returns whether PyTorch's LSTM runs in bfloat16 on this processor."""
    try:
        with torch.autocast("cpu", torch.bfloat16):
            nn.LSTM(8, 8, batch_first=True)(torch.zeros(1, 2, 8))
    except RuntimeError:
        return False
    return True


class Trainer:
    """Trains an `LRCN` with Adam at the paper's rate.

    Args:
        model: the network.
        bfloat16: whether to compute in bfloat16 where PyTorch's autocast does.
    """

    def __init__(self, model: LRCN, bfloat16: bool = False) -> None:
        self.model, self.bfloat16 = model.train(), bfloat16
        self.optimizer = torch.optim.Adam(model.parameters(), lr=5e-4, fused=True)
        self.loss = nn.CrossEntropyLoss(ignore_index=0)

    def epoch(self, batches: Iterable[tuple[dict[str, np.ndarray], np.ndarray]]) -> float:
        """Takes a step for each of the batches `({"r", "tokens"}, targets)` and returns the mean loss."""
        losses = []
        for inputs, targets in batches:
            r, tokens = torch.from_numpy(inputs["r"]), torch.from_numpy(inputs["tokens"])
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
                logits = self.model(r, tokens)
            loss = self.loss(logits.flatten(0, 1).float(), torch.from_numpy(targets).long().flatten())
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses).mean().item()
