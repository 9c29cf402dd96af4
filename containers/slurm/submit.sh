#!/usr/bin/env bash
# submit.sh INPUT OUTPUT [APP OPTIONS...]: one Slurm job array, a participant per task, then a group job.
#
# The group job starts when every task has ended (afterany), and names the participants that are missing. Prints
# the two job ids. What can be set in the environment:
#   SB_PROGRAM       the program to run (spectralbrain; or containers/slurm/apptainer.sh)
#   SB_PARTICIPANTS  text file, one label a line (default: the sub-* folders of INPUT)
#   SB_WORK          working directory, seen by all nodes (default: OUTPUT-work)
#   SB_LOGS          where Slurm writes the jobs' output (default: SB_WORK/logs)
#   SB_SBATCH        options of sbatch for the participants (default: --mem=4G --time=01:00:00)
#   SB_SBATCH_GROUP  options of sbatch for the group job (default: those of SB_SBATCH)
#   SB_AT_ONCE       how many tasks may run at the same time (default: 200)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 2 ] || { sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 64; }
SB_INPUT=$(cd "$1" && pwd)
SB_OUTPUT=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2
SB_PROGRAM=$(command -v "${SB_PROGRAM:-spectralbrain}") || { echo "SB_PROGRAM is not on PATH" >&2; exit 69; }
SB_WORK=${SB_WORK:-$SB_OUTPUT-work}
mkdir -p "$SB_WORK"
SB_WORK=$(cd "$SB_WORK" && pwd)
logs=${SB_LOGS:-$SB_WORK/logs}
mkdir -p "$logs"
if [ -z "${SB_PARTICIPANTS:-}" ]; then
  SB_PARTICIPANTS=$SB_WORK/participants.txt
  find "$SB_INPUT" -mindepth 1 -maxdepth 1 -name 'sub-*' ! -name '*.*' -printf '%f\n' | sed 's/^sub-//' | sort > "$SB_PARTICIPANTS"
fi
count=$(grep -c . "$SB_PARTICIPANTS") || { echo "no participants in $SB_PARTICIPANTS" >&2; exit 66; }
SB_OPTIONS=$SB_WORK/options.txt
printf '%s\n' "$@" > "$SB_OPTIONS"
[ $# -gt 0 ] || : > "$SB_OPTIONS"
export SB_INPUT SB_OUTPUT SB_PROGRAM SB_WORK SB_PARTICIPANTS SB_OPTIONS
read -r -a each <<< "${SB_SBATCH:---mem=4G --time=01:00:00}"
read -r -a group <<< "${SB_SBATCH_GROUP:-${each[*]}}"
array=$(sbatch --parsable --export=ALL --array="1-$count%${SB_AT_ONCE:-200}" --output="$logs/participant-%a.log" \
  "${each[@]}" "$here/participant.sbatch")
last=$(sbatch --parsable --export=ALL --dependency="afterany:$array" --kill-on-invalid-dep=yes \
  --output="$logs/group.log" "${group[@]}" "$here/group.sbatch")
echo "participants: $array"
echo "group: $last"
