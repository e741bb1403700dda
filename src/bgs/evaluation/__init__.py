"""Evaluation: RSA, odd-one-out accuracy, noise ceilings, intervals. Never imports torch."""

from bgs.evaluation.attention import AttentionShares, attention_shares, region_shares
from bgs.evaluation.ceilings import leave_one_out_ceiling, odd_one_out_ceiling, rsa_ceiling
from bgs.evaluation.comparison import Comparison
from bgs.evaluation.contrasts import contrasts
from bgs.evaluation.disagreement import Disagreement, Disagreements, disagreements
from bgs.evaluation.evaluate import evaluate
from bgs.evaluation.odd_one_out import three_way_scores, trial_scores, two_way_scores
from bgs.evaluation.permutation import permutation_p_value
from bgs.evaluation.protocols import PROTOCOLS, Protocol, select_protocol
from bgs.evaluation.rdm import DISTANCES, model_rdm, pair_vector
from bgs.evaluation.resampling import DESIGNS, bootstrap, percentile_interval
from bgs.evaluation.result import Metric, Result
from bgs.evaluation.rsa import pearson, spearman, validation_rsa
from bgs.evaluation.sign_flip import sign_flip_p_value

__all__ = [
    "DESIGNS",
    "DISTANCES",
    "PROTOCOLS",
    "AttentionShares",
    "Comparison",
    "Disagreement",
    "Disagreements",
    "Metric",
    "Protocol",
    "Result",
    "attention_shares",
    "bootstrap",
    "contrasts",
    "disagreements",
    "evaluate",
    "leave_one_out_ceiling",
    "model_rdm",
    "odd_one_out_ceiling",
    "pair_vector",
    "pearson",
    "percentile_interval",
    "permutation_p_value",
    "region_shares",
    "rsa_ceiling",
    "select_protocol",
    "sign_flip_p_value",
    "spearman",
    "three_way_scores",
    "trial_scores",
    "two_way_scores",
    "validation_rsa",
]
