"""MiniLM's tower: a plain BERT from transformers' own class, behind the text towers' interface.

all-MiniLM-L6-v2: https://www.sbert.net (Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084); the
mean over the tokens, then length 1.
"""

from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from embeddings.configs import read_json
from embeddings.pretrained import load_parts
from embeddings.text_tower import masked_mean


class BertTower(nn.Module):
    """Token ids to mean vectors."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """A float32 tower in eval mode. Raises WeightsError unless every key and shape agrees."""
        # The pooler is BERT's classifier for sentence pairs: in the file, and not part of this tower.
        bert = BertModel(BertConfig(**read_json(folder / "config.json")), add_pooling_layer=False)
        load_parts(bert, folder, unused=("pooler.", "embeddings.position_ids"))
        return cls(bert).eval()

    @property
    def dimensions(self) -> int:
        return int(self.bert.config.hidden_size)

    @property
    def max_tokens(self) -> int:
        return int(self.bert.config.max_position_embeddings)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """(N, S) ids padded on the right, (N,) lengths → (N, D) float32 means, not normalised."""
        mask = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        hidden = self.bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return masked_mean(hidden, lengths)
