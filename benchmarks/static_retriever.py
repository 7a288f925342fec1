"""A small multilingual static-embedding model, trained from nothing with sentence-transformers on exported pairs.

Static: a text's vector is the mean of its tokens' vectors, so that whatever the model knows of a language, and of how
two languages meet, it has from the pairs.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError

DIMENSIONS = 256
VOCABULARY = 16_000
BATCH = 256
RATE = 0.02
SCALE = 20.0


def tokenizer(texts: list[str]) -> Any:
    """A WordPiece tokenizer made of training texts alone: case-folded, NFKC."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[UNK]", "[PAD]"]
    made.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special))
    return made


def untrained(made: Any, seed: int) -> Any:
    """A model with random vectors."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    torch.manual_seed(seed)
    return SentenceTransformer(modules=[StaticEmbedding(made, embedding_dim=DIMENSIONS)], device="cpu")


def exported(folder: Path) -> dict[str, Any]:
    """The configs `pairs` and `triplets` of an export for sentence-transformers: their training split."""
    from datasets import load_dataset

    files = {path.parent.name: str(path) for path in sorted(folder.glob("*/train.parquet"))}
    if "pairs" not in files:
        raise ConfigError(f"{folder}: no pairs/train.parquet: the training set is empty, or no export")
    return {name: load_dataset("parquet", data_files=path, split="train") for name, path in files.items()}


def train(model: Any, sets: dict[str, Any], steps: int, seed: int, folder: Path) -> Any:
    """Train on several sets, each batch from one of them, in proportion to their sizes; saves the model in `folder`.

    The loss is the in-batch softmax of both directions (symmetric multiple negatives ranking).
    """
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from sentence_transformers.sentence_transformer.training_args import BatchSamplers, MultiDatasetBatchSamplers

    random.seed(seed)
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(folder / "training"), max_steps=steps, per_device_train_batch_size=BATCH, learning_rate=RATE,
        warmup_steps=max(1, steps // 20), lr_scheduler_type="linear", seed=seed, data_seed=seed,
        batch_sampler=BatchSamplers.NO_DUPLICATES, multi_dataset_batch_sampler=MultiDatasetBatchSamplers.PROPORTIONAL,
        save_strategy="no", report_to=[], logging_strategy="no", disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    loss = MultipleNegativesRankingLoss(
        model, scale=SCALE, directions=("query_to_doc", "doc_to_query"), partition_mode="per_direction"
    )
    trainer = SentenceTransformerTrainer(model=model, args=arguments, train_dataset=sets, loss=loss)
    trainer.train()
    model.save_pretrained(str(folder))
    return model
