#!/bin/bash
# A million trials as a Slurm job array: sbatch examples/jobs/slurm.sh scenario.toml
# A task that is preempted or killed goes on from its checkpoint when Slurm requeues it. When all
# tasks are done:  buildout merge shards/*.part --out results
#SBATCH --job-name=buildout
#SBATCH --array=0-99
#SBATCH --cpus-per-task=8
#SBATCH --time=02:00:00
#SBATCH --requeue
# A termination request a minute before the end, so that the last checkpoint is fresh.
#SBATCH --signal=TERM@60
set -euo pipefail
scenario=${1:?"usage: sbatch slurm.sh SCENARIO"}
mkdir -p shards
exec buildout run "$scenario" --trials 1000000 --seed 1 --quiet \
    --threads "$SLURM_CPUS_PER_TASK" \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
    --checkpoint "shards/$SLURM_ARRAY_TASK_ID.part" --resume
