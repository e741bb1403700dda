"""Evaluation: RSA, odd-one-out accuracy, noise ceilings, analyses of a geometry, intervals. Never imports torch."""

from bgs._false_discovery import benjamini_hochberg
from bgs.evaluation.against_rdm import evaluate_rdm
from bgs.evaluation.agreement import evaluate
from bgs.evaluation.attention import AttentionShares, attention_shares, region_shares
from bgs.evaluation.choice_ceiling import odd_one_out_ceiling
from bgs.evaluation.comparison import Comparison
from bgs.evaluation.decoding import Decoding, decode
from bgs.evaluation.designs import DESIGNS
from bgs.evaluation.dimension_ratings import DimensionRating, rate_dimensions
from bgs.evaluation.dimensions import Dimensions, find_dimensions
from bgs.evaluation.disagreement import Disagreement, Disagreements, clearest_triplet, disagreements
from bgs.evaluation.odd_one_out import three_way_scores, trial_scores, two_way_scores
from bgs.evaluation.paired_contrasts import contrasts
from bgs.evaluation.participant_ceiling import leave_one_out_ceiling
from bgs.evaluation.permutation import permutation_p_value, unique_p_value
from bgs.evaluation.probes import PROBE_PROTOCOLS, Probes, ProbeScore, probe
from bgs.evaluation.protocols import PROTOCOLS, Protocol, select_protocol
from bgs.evaluation.random_change import RandomChanges, random_change_p_value, random_changes
from bgs.evaluation.raters import rater_reference
from bgs.evaluation.rdm import DISTANCES, model_rdm, pair_vector
from bgs.evaluation.reliability import rsa_ceiling
from bgs.evaluation.resampling import bootstrap, percentile_interval
from bgs.evaluation.result import Metric, Result, mean_metric
from bgs.evaluation.rsa import pearson, spearman, validation_rsa
from bgs.evaluation.sign_flip import sign_flip_p_value
from bgs.evaluation.variance import VariancePartition, partition_variance
from bgs.evaluation.zero_shot import Transfer, transfer

__all__ = [
    "DESIGNS",
    "DISTANCES",
    "PROBE_PROTOCOLS",
    "PROTOCOLS",
    "AttentionShares",
    "Comparison",
    "Decoding",
    "DimensionRating",
    "Dimensions",
    "Disagreement",
    "Disagreements",
    "Metric",
    "ProbeScore",
    "Probes",
    "Protocol",
    "RandomChanges",
    "Result",
    "Transfer",
    "VariancePartition",
    "attention_shares",
    "benjamini_hochberg",
    "bootstrap",
    "clearest_triplet",
    "contrasts",
    "decode",
    "disagreements",
    "evaluate",
    "evaluate_rdm",
    "find_dimensions",
    "leave_one_out_ceiling",
    "mean_metric",
    "model_rdm",
    "odd_one_out_ceiling",
    "pair_vector",
    "partition_variance",
    "pearson",
    "percentile_interval",
    "permutation_p_value",
    "probe",
    "random_change_p_value",
    "random_changes",
    "rate_dimensions",
    "rater_reference",
    "region_shares",
    "rsa_ceiling",
    "select_protocol",
    "sign_flip_p_value",
    "spearman",
    "three_way_scores",
    "transfer",
    "trial_scores",
    "two_way_scores",
    "unique_p_value",
    "validation_rsa",
]
