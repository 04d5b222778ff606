#!/usr/bin/env bash
# A real SLURM of one node on this machine, with accounting, for the tests: Debian or Ubuntu, as root.
#   scripts/slurm_here.sh install          the packages (once)
#   scripts/slurm_here.sh start FOLDER     then: export SLURM_CONF=FOLDER/slurm.conf
#   scripts/slurm_here.sh stop FOLDER
set -euo pipefail

packages=(munge slurmctld slurmd slurm-client slurmdbd mariadb-server)

install_packages() {
  apt-get install -y --no-install-recommends "${packages[@]}"
}

configure() {
  local host cores memory
  host=$(hostname -s)
  cores=$(nproc)
  memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.8)}' /proc/meminfo)
  mkdir -p "$root"/{state,spool,data,log} /run/munge
  chmod 755 "$root"
  chown slurm "$root/state" "$root/log"
  chown mysql "$root/data"
  chown munge /run/munge
  cat > "$root/slurm.conf" <<CONF
ClusterName=tests
SlurmctldHost=$host(127.0.0.1)
SlurmUser=slurm
AuthType=auth/munge
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1
StateSaveLocation=$root/state
SlurmdSpoolDir=$root/spool
SlurmctldPidFile=$root/slurmctld.pid
SlurmdPidFile=$root/slurmd.pid
SlurmctldLogFile=$root/log/slurmctld.log
SlurmdLogFile=$root/log/slurmd.log
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cores RealMemory=$memory
PartitionName=tests Nodes=ALL Default=YES MaxTime=60 State=UP
CONF
  cat > "$root/slurmdbd.conf" <<CONF
AuthType=auth/munge
DbdHost=localhost
SlurmUser=slurm
PidFile=$root/slurmdbd.pid
LogFile=$root/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=tests
StorageLoc=slurm_acct_db
CONF
  chown slurm "$root/slurmdbd.conf"
  chmod 600 "$root/slurmdbd.conf"
  touch "$root/slurmdbd.pid"
  chown slurm "$root/slurmdbd.pid"
}

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for() {
  local left=$1
  shift
  until "$@" > /dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "slurm_here: '$*' does not answer; see $root/log" >&2; exit 1; }
    sleep 1
  done
}

database() {
  mkdir -p /run/mysqld
  chown mysql /run/mysqld
  mariadb-install-db --user=mysql --datadir="$root/data" > "$root/log/mariadb.log" 2>&1
  mariadbd --user=mysql --datadir="$root/data" --skip-networking --pid-file="$root/data/mariadb.pid" \
    --socket=/run/mysqld/mysqld.sock >> "$root/log/mariadb.log" 2>&1 < /dev/null &
  wait_for 30 mariadb-admin ping
  mariadb -e "CREATE DATABASE slurm_acct_db; CREATE USER slurm@localhost IDENTIFIED BY 'tests';
    GRANT ALL ON slurm_acct_db.* TO slurm@localhost;"
}

start() {
  configure
  export SLURM_CONF="$root/slurm.conf"
  pgrep -x munged > /dev/null || setpriv --reuid munge --regid munge --clear-groups munged > /dev/null 2>&1
  database
  setpriv --reuid slurm --regid slurm --clear-groups slurmdbd > /dev/null 2>&1
  wait_for 30 sacctmgr -n list cluster
  sacctmgr -i add cluster tests > /dev/null
  slurmctld -f "$SLURM_CONF" > /dev/null 2>&1
  slurmd -f "$SLURM_CONF" > /dev/null 2>&1
  wait_for 30 bash -c 'sinfo -h -o %T | grep -qx idle'
}

stop() {
  local name
  for name in slurmd slurmctld slurmdbd data/mariadb; do
    [ ! -s "$root/$name.pid" ] || kill "$(cat "$root/$name.pid")" 2> /dev/null || true
  done
}

action=${1:-}
root=${2:-}
case "$action" in
  install) install_packages ;;
  start | stop)
    [ -n "$root" ] || { echo "slurm_here: name a folder, for example: scripts/slurm_here.sh $action /tmp/slurm" >&2; exit 2; }
    "$action"
    ;;
  *) sed -n '2,5s/^# //p' "$0" >&2; exit 2 ;;
esac
