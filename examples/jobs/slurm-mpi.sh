#!/bin/bash
# A hundred million trials on 16 nodes by MPI: sbatch examples/jobs/slurm-mpi.sh scenario.toml
# Needs a buildout with the feature mpi, built against the MPI library of the cluster. One rank a node uses all its
# processors. Should a node fail, submit it again: it goes on from what all ranks have saved.
#SBATCH --job-name=buildout
#SBATCH --nodes=16
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=64
#SBATCH --time=02:00:00
#SBATCH --requeue
#SBATCH --signal=TERM@60
set -euo pipefail
scenario=${1:?"usage: sbatch slurm-mpi.sh SCENARIO"}
exec srun --mpi=pmix buildout run "$scenario" --trials 100000000 --seed 1 --quiet \
    --threads "$SLURM_CPUS_PER_TASK" --checkpoint run.checkpoint --resume --out results
