#!/usr/bin/env bash
# Records the captures of this folder anew: sipp against sipp on loopback, tcpdump between them.
# usage: captures/record.sh [NAME…]   (as root; needs the Debian packages sip-tester and tcpdump)
set -euo pipefail
cd "$(dirname "$0")"

# name, caller's scenario, called side's scenario, transport (u1 or t1), caller's and called address, calls
recordings='
answered        call          call         u1 127.0.71.101 127.0.71.102 3
answered-tcp    call          call         t1 127.0.71.101 127.0.71.102 2
answered-ipv6   call          call         u1 [::1]        [::1]        1
called-ends     called-ends   called-ends  u1 127.0.71.101 127.0.71.102 1
busy            refused       busy         u1 127.0.71.101 127.0.71.102 1
cancelled       cancel        cancel       u1 127.0.71.101 127.0.71.102 1
challenged      auth          auth         u1 127.0.71.101 127.0.71.102 1
rejected        rejected      rejected     u1 127.0.71.101 127.0.71.102 1
reinvite        reinvite      reinvite     u1 127.0.71.101 127.0.71.102 1
redirected      redirect      redirect     u1 127.0.71.101 127.0.71.102 1
unreachable     unreachable   unreachable  u1 127.0.71.101 127.0.71.102 1
crossing        cross         cross        u1 127.0.71.101 127.0.71.102 1
'

record() {
  local name=$1 uac=$2 uas=$3 transport=$4 from=$5 to=$6 calls=$7
  tcpdump -i lo --immediate-mode -U -s 0 -w "$name.pcap" 'port 5071 or port 5072' 2>tcpdump.log & local dump=$!
  until grep -q 'listening on' tcpdump.log; do sleep 0.05; done
  sipp -sf "scenarios/$uas.uas.xml" -t "$transport" -i "$to" -p 5072 -m "$calls" -nostdin >/dev/null 2>&1 & local server=$!
  until ss -Hlun "sport = :5072" | grep -q . || ss -Hltn "sport = :5072" | grep -q .; do sleep 0.05; done
  sipp -sf "scenarios/$uac.uac.xml" -t "$transport" -i "$from" -p 5071 -s 102 -m "$calls" -r 1 -rp 300 -nostdin "$to:5072" >/dev/null 2>&1 || echo "$name: the caller failed"
  wait "$server" || echo "$name: the called side failed"
  sleep 0.2
  kill -INT "$dump"; wait "$dump" || true
  rm -f tcpdump.log ./*_errors.log
  echo "$name: $(tcpdump -r "$name.pcap" 2>/dev/null | wc -l) packets"
}

while read -r name rest; do
  [ -n "$name" ] || continue
  # shellcheck disable=SC2086
  if [ $# -eq 0 ] || [[ " $* " == *" $name "* ]]; then record "$name" $rest; fi
done <<<"$recordings"
