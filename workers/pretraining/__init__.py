"""Pretraining a small multilingual encoder from corpora, for people without a hub and for generated languages."""

from workers.pretraining.job import PretrainJob, load_pretrain_job
from workers.pretraining.run import Pretrained, pretrain

__all__ = ["PretrainJob", "Pretrained", "load_pretrain_job", "pretrain"]
